// The markers of vehicles and clusters, drawn on a canvas. Color and shape both show the state, and no font is loaded.
const SIZE = 26;
const RATIO = Math.max(2, Math.ceil(globalThis.devicePixelRatio || 1));

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function drawImage(size, draw) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size * RATIO;
  const context = canvas.getContext("2d");
  context.scale(RATIO, RATIO);
  context.lineJoin = "round";
  draw(context, size);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

function shape(context, fill, path) {
  context.beginPath();
  path();
  context.closePath();
  context.lineWidth = 5;
  context.strokeStyle = color("--mark-edge");
  context.stroke();
  context.fillStyle = fill;
  context.fill();
}

const MARKERS = {
  parked: (context, size) => shape(context, color("--mark-parked"), () => context.arc(size / 2, size / 2, 7, 0, 2 * Math.PI)),
  moving: (context, size) =>
    shape(context, color("--mark-moving"), () => {
      const [x, y] = [size / 2, size / 2];
      for (const [dx, dy] of [[0, -9.5], [7.5, 8], [0, 4], [-7.5, 8]]) context.lineTo(x + dx, y + dy);
    }),
  // Moving in an unknown direction.
  drifting: (context, size) =>
    shape(context, color("--mark-moving"), () => {
      for (const [dx, dy] of [[0, -9], [9, 0], [0, 9], [-9, 0]]) context.lineTo(size / 2 + dx, size / 2 + dy);
    }),
  charging: (context, size) => {
    shape(context, color("--mark-charging"), () => context.arc(size / 2, size / 2, 9, 0, 2 * Math.PI));
    context.beginPath();
    for (const [dx, dy] of [[1.5, -6.5], [-4.5, 1], [-0.5, 1], [-1.5, 6.5], [4.5, -1.5], [0.5, -1.5]]) {
      context.lineTo(size / 2 + dx, size / 2 + dy);
    }
    context.closePath();
    context.fillStyle = color("--mark-edge");
    context.fill();
  },
  unlocked: (context, size) => {
    shape(context, color("--mark-unlocked"), () => context.roundRect(size / 2 - 8, size / 2 - 8, 16, 16, 3));
    context.fillStyle = color("--mark-edge");
    context.fillRect(size / 2 - 1.25, size / 2 - 5, 2.5, 6.5);
    context.fillRect(size / 2 - 1.25, size / 2 + 3, 2.5, 2.5);
  },
  stale: (context, size) => {
    shape(context, color("--mark-edge"), () => context.arc(size / 2, size / 2, 6.5, 0, 2 * Math.PI));
    context.beginPath();
    context.arc(size / 2, size / 2, 6, 0, 2 * Math.PI);
    context.lineWidth = 2.5;
    context.setLineDash([3, 2]);
    context.strokeStyle = color("--mark-stale");
    context.stroke();
  },
};

function cluster(text, alarmed) {
  const size = 30 + 5 * Math.max(0, text.length - 1);
  return drawImage(size, (context) => {
    const middle = size / 2;
    context.beginPath();
    context.arc(middle, middle, middle - 2.5, 0, 2 * Math.PI);
    context.fillStyle = color("--mark-cluster");
    context.fill();
    context.lineWidth = 3;
    context.strokeStyle = alarmed ? color("--mark-unlocked") : color("--mark-edge");
    context.stroke();
    context.fillStyle = color("--mark-cluster-text");
    context.font = `600 12px ${getComputedStyle(document.body).fontFamily}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(text, middle, middle + 0.5);
  });
}

// Images are drawn when the map first requests them: "mark-moving", "cluster-12k", "cluster-12k-alarmed".
export function provideMarkers(map) {
  map.setMissingStyleImageResolver((id) => {
    const [kind, name, alarmed] = id.split("-");
    if (kind === "mark" && MARKERS[name]) map.addImage(id, drawImage(SIZE, MARKERS[name]), { pixelRatio: RATIO });
    if (kind === "cluster") map.addImage(id, cluster(name, alarmed === "alarmed"), { pixelRatio: RATIO });
  });
}
