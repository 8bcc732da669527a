// Calls every operation of the API with a client that is typed by the description (api.d.ts, generated next to this
// file), and prints the status of each as JSON. Takes {url, token, vehicleId, commandId, deliveryId} as its argument.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.d.ts";

declare const process: { argv: string[] };
type Site = { url: string; token: string; vehicleId: string; commandId: number; deliveryId: number };

const site: Site = JSON.parse(process.argv[2]);
const client = createClient<paths>({ baseUrl: site.url, headers: { Authorization: `Bearer ${site.token}` } });
const vehicle = { smartcar_id: site.vehicleId };
const statuses: Record<string, number> = {};

/** Records the status, checks the headers that every response has, and returns the typed content. */
function content<Data>(operation: string, answer: { data?: Data; error?: unknown; response: Response }): Data {
  const { data, error, response } = answer;
  statuses[operation] = response.status;
  if (data === undefined) {
    throw new Error(`${operation}: ${response.status} ${JSON.stringify(error)}`);
  }
  for (const name of ["X-Request-Id", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"]) {
    if (response.headers.get(name) === null) {
      throw new Error(`${operation}: no ${name}`);
    }
  }
  return data;
}

function equal<Value>(actual: Value, expected: Value): void {
  if (actual !== expected) {
    throw new Error(`${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
  }
}

function isLocation(value: unknown): value is components["schemas"]["LocationBody"] {
  return typeof value === "object" && value !== null && "latitude" in value;
}

const list = content("vehicles_list", await client.GET("/api/v1/vehicles/", { params: { query: { ordering: "name" } } }));
equal(list.results[0].id, site.vehicleId);
content("vehicle", await client.GET("/api/v1/vehicles/{smartcar_id}/", { params: { path: vehicle } }));

const latest = content(
  "vehicle_signals",
  await client.GET("/api/v1/vehicles/{smartcar_id}/signals/", { params: { path: vehicle, query: { units: "metric" } } }),
);
equal(latest.signals.every((signal) => signal.error === null), true);

const history = content(
  "signal_history",
  await client.GET("/api/v1/vehicles/{smartcar_id}/signals/{code}/history/", {
    params: { path: { ...vehicle, code: "location-preciselocation" }, query: { resolution: "raw" } },
  }),
);
equal(isLocation(history.points[0].value), true);

content("command", await client.GET("/api/v1/commands/{command_id}/", { params: { path: { command_id: site.commandId } } }));
const canceled = content(
  "cancel_command",
  await client.POST("/api/v1/commands/{command_id}/cancel/", { params: { path: { command_id: site.commandId } } }),
);
equal<components["schemas"]["CommandStateEnum"]>(canceled.state, "cancelled");

const body: components["schemas"]["SetChargeLimitCommand"] = { kind: "set_charge_limit", parameters: { percent: 80 }, when_awake: false };
const sent = await client.POST("/api/v1/vehicles/{smartcar_id}/commands/", {
  params: { path: vehicle, header: { "Idempotency-Key": "walk" } },
  body,
});
equal(content("send_command", sent).kind, "set_charge_limit");
equal(sent.response.headers.get("Location")?.includes("/api/v1/commands/"), true);

content("vehicle_commands_list", await client.GET("/api/v1/vehicles/{smartcar_id}/commands/", { params: { path: vehicle } }));
content("commands_list", await client.GET("/api/v1/commands/", { params: { query: { kind: "lock", state: "cancelled" } } }));
content("deliveries_list", await client.GET("/api/v1/deliveries/", { params: { query: { source: "webhook" } } }));
content("delivery", await client.GET("/api/v1/deliveries/{delivery_id}/", { params: { path: { delivery_id: site.deliveryId } } }));
content("delivery_vin", await client.POST("/api/v1/deliveries/{delivery_id}/vin/", { params: { path: { delivery_id: site.deliveryId } } }));
content("vehicle_vin", await client.POST("/api/v1/vehicles/{smartcar_id}/vin/", { params: { path: vehicle } }));

const missing = await client.GET("/api/v1/vehicles/{smartcar_id}/", { params: { path: { smartcar_id: "nothing" } } });
equal(missing.error?.code, "not_found");

console.log(JSON.stringify(statuses));
