// The marks of cars and clusters, drawn on a canvas: colour and shape both tell the state, and no font is loaded.
const SIZE = 26;
const RATIO = Math.max(2, Math.ceil(globalThis.devicePixelRatio || 1));

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function drawing(size, draw) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size * RATIO;
  const pen = canvas.getContext("2d");
  pen.scale(RATIO, RATIO);
  pen.lineJoin = "round";
  draw(pen, size);
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}

function shape(pen, fill, path) {
  pen.beginPath();
  path();
  pen.closePath();
  pen.lineWidth = 5;
  pen.strokeStyle = color("--mark-edge");
  pen.stroke();
  pen.fillStyle = fill;
  pen.fill();
}

const MARKS = {
  parked: (pen, size) => shape(pen, color("--mark-parked"), () => pen.arc(size / 2, size / 2, 7, 0, 2 * Math.PI)),
  moving: (pen, size) =>
    shape(pen, color("--mark-moving"), () => {
      const [x, y] = [size / 2, size / 2];
      for (const [dx, dy] of [[0, -9.5], [7.5, 8], [0, 4], [-7.5, 8]]) pen.lineTo(x + dx, y + dy);
    }),
  // Moving, but nobody knows where to.
  drifting: (pen, size) =>
    shape(pen, color("--mark-moving"), () => {
      for (const [dx, dy] of [[0, -9], [9, 0], [0, 9], [-9, 0]]) pen.lineTo(size / 2 + dx, size / 2 + dy);
    }),
  charging: (pen, size) => {
    shape(pen, color("--mark-charging"), () => pen.arc(size / 2, size / 2, 9, 0, 2 * Math.PI));
    pen.beginPath();
    for (const [dx, dy] of [[1.5, -6.5], [-4.5, 1], [-0.5, 1], [-1.5, 6.5], [4.5, -1.5], [0.5, -1.5]]) {
      pen.lineTo(size / 2 + dx, size / 2 + dy);
    }
    pen.closePath();
    pen.fillStyle = color("--mark-edge");
    pen.fill();
  },
  unlocked: (pen, size) => {
    shape(pen, color("--mark-unlocked"), () => pen.roundRect(size / 2 - 8, size / 2 - 8, 16, 16, 3));
    pen.fillStyle = color("--mark-edge");
    pen.fillRect(size / 2 - 1.25, size / 2 - 5, 2.5, 6.5);
    pen.fillRect(size / 2 - 1.25, size / 2 + 3, 2.5, 2.5);
  },
  stale: (pen, size) => {
    shape(pen, color("--mark-edge"), () => pen.arc(size / 2, size / 2, 6.5, 0, 2 * Math.PI));
    pen.beginPath();
    pen.arc(size / 2, size / 2, 6, 0, 2 * Math.PI);
    pen.lineWidth = 2.5;
    pen.setLineDash([3, 2]);
    pen.strokeStyle = color("--mark-stale");
    pen.stroke();
  },
};

function cluster(text, alarmed) {
  const size = 30 + 5 * Math.max(0, text.length - 1);
  return drawing(size, (pen) => {
    const middle = size / 2;
    pen.beginPath();
    pen.arc(middle, middle, middle - 2.5, 0, 2 * Math.PI);
    pen.fillStyle = color("--mark-cluster");
    pen.fill();
    pen.lineWidth = 3;
    pen.strokeStyle = alarmed ? color("--mark-unlocked") : color("--mark-edge");
    pen.stroke();
    pen.fillStyle = color("--mark-cluster-text");
    pen.font = `600 12px ${getComputedStyle(document.body).fontFamily}`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillText(text, middle, middle + 0.5);
  });
}

// Images are drawn when the map first asks for them: "mark-moving", "cluster-12k", "cluster-12k-alarmed".
export function offerMarks(map) {
  map.setMissingStyleImageResolver((id) => {
    const [kind, name, alarmed] = id.split("-");
    if (kind === "mark" && MARKS[name]) map.addImage(id, drawing(SIZE, MARKS[name]), { pixelRatio: RATIO });
    if (kind === "cluster") map.addImage(id, cluster(name, alarmed === "alarmed"), { pixelRatio: RATIO });
  });
}
