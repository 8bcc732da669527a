// Smartcar's own Node SDK (10.4.0) against the simulator: every method of AuthClient, Vehicle and the module.
// Run it with `python -m tests.simulator.node`, which starts the simulator and sets the SDK's variables.
'use strict';

const assert = require('node:assert/strict');
const {createServer} = require('node:http');
const {before, after, test} = require('node:test');

const smartcar = require('smartcar');

const ORIGIN = process.env.SIMULATOR_ORIGIN;
const AMT = process.env.SMARTCAR_MANAGEMENT_TOKENS.split(',')[0];
const CLIENT = {
  clientId: process.env.SMARTCAR_APPLICATION_ID,
  clientSecret: process.env.SMARTCAR_APPLICATION_SECRET,
};
const REDIRECT = 'http://localhost:9999/back';

const auth = new smartcar.AuthClient({...CLIENT, redirectUri: REDIRECT, mode: 'simulated'});
const deliveries = [];
let endpoint;

async function control(method, path, body) {
  const answer = await fetch(`${ORIGIN}/control${path}`, {method, body: body && JSON.stringify(body)});
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer.status === 204 ? null : answer.json();
}

async function connect(body = {}) {
  const {redirect} = await control('POST', '/grants', {url: auth.getAuthUrl(), ...body});
  return new URL(redirect).searchParams.get('code');
}

// A connected vehicle that has the signal, parked and closed.
async function vehicleWith(signal, make) {
  const {vehicles} = await control('GET', make ? `/vehicles?make=${make}` : '/vehicles');
  for (const {id} of vehicles) {
    const {signals} = await control('GET', `/vehicles/${id}`);
    if (!signals[signal].error) {
      const access = await auth.exchangeCode(await connect({vehicleIds: [id]}));
      const vehicle = new smartcar.Vehicle(id, access.accessToken);
      await set(vehicle, {speed: 0, doors: [], rear_trunk_open: false});
      return vehicle;
    }
  }
  throw new Error(`no car with ${signal}`);
}

const set = (vehicle, state) => control('PATCH', `/vehicles/${vehicle.id}`, state);

async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof smartcar.SmartcarError, String(error));
    return error;
  }
  throw new Error('nothing was refused');
}

before(async () => {
  endpoint = createServer((request, response) => {
    let raw = '';
    request.on('data', (part) => { raw += part; });
    request.on('end', () => {
      const event = JSON.parse(raw);
      deliveries.push({event, raw, signature: request.headers['sc-signature']});
      const challenge = event.data.challenge && smartcar.hashChallenge(AMT, event.data.challenge);
      response.end(JSON.stringify({challenge}));
    });
  });
  await new Promise((ready) => { endpoint.listen(0, '127.0.0.1', ready); });
  const callbackUri = `http://127.0.0.1:${endpoint.address().port}/hook`;
  const made = await control('POST', '/webhooks', {id: 'node', callbackUri});
  assert.equal(made.verified, true, 'hashChallenge is what the endpoint answers with');
});

after(() => endpoint.close());

test('getAuthUrl leads into Connect', async () => {
  const url = auth.getAuthUrl(['read_odometer', 'required:read_vin'], {
    state: 's',
    forcePrompt: true,
    makeBypass: 'TESLA',
    singleSelect: {enabled: true},
    flags: {country: 'DE'},
    user: 'owner-1',
  });
  const page = await (await fetch(url)).text();
  assert.match(page, /Sign in with your Tesla account/);
});

test('exchangeCode and exchangeRefreshToken', async () => {
  const first = await auth.exchangeCode(await connect());
  const second = await auth.exchangeRefreshToken(first.refreshToken);
  assert.notEqual(first.accessToken, second.accessToken);
  assert.ok(first.expiration > new Date() && first.refreshExpiration > first.expiration);
  const error = await refusal(auth.exchangeCode('made up'));
  assert.equal(error.type, 'invalid_grant');
  assert.equal(error.statusCode, 400);
});

test('getUser, getVehicles and getVehicle', async () => {
  const access = await auth.exchangeCode(await connect({count: 12}));
  const user = await smartcar.getUser(access.accessToken);
  assert.equal(user.id.length, 36);
  assert.equal(user.meta.requestId.length, 36);
  const page = await smartcar.getVehicles(access.accessToken, {limit: 5, offset: 10});
  assert.deepEqual(page.paging, {count: 12, offset: 10});
  assert.equal(page.vehicles.length, 2);
  const vehicle = await smartcar.getVehicle(access.accessToken, page.vehicles[0]);
  assert.equal(vehicle.body.data.id, page.vehicles[0]);
});

test('getCompatibility and getCompatibilityMatrix', async () => {
  const {vehicles: [car]} = await control('GET', '/vehicles?limit=1');
  const answer = await smartcar.getCompatibility(car.vin, ['read_odometer'], 'US', CLIENT);
  assert.equal(answer.compatible, true);
  assert.equal(answer.capabilities[0].capable, true);
  const matrix = await smartcar.getCompatibilityMatrix(
    'US',
    {...CLIENT, make: 'TESLA', type: 'BEV', scope: ['read_battery']},
  );
  assert.ok(matrix.TESLA[0].permissions.includes('read_battery'));
});

test('getConnections and deleteConnections', async () => {
  const vehicle = await vehicleWith('odometer-traveleddistance', 'AUDI');
  const found = await smartcar.getConnections(AMT, {vehicleId: vehicle.id}, {limit: 1});
  assert.equal(found.connections[0].vehicleId, vehicle.id);
  assert.equal(found.paging.cursor, null);
  const gone = await smartcar.deleteConnections(AMT, {vehicleId: vehicle.id});
  assert.equal(gone.connections.length, 1);
});

const READS = {
  vin: ['vehicleidentification-vin', 'vin'],
  charge: ['charge-ischarging', 'isPluggedIn', 'state'],
  battery: ['tractionbattery-stateofcharge', 'percentRemaining', 'range'],
  batteryCapacity: ['tractionbattery-nominalcapacity', 'capacity'],
  nominalCapacity: ['tractionbattery-nominalcapacity', 'availableCapacities'],
  fuel: ['internalcombustionengine-fuellevel', 'percentRemaining'],
  tirePressure: ['wheel-tires', 'frontLeft', 'backRight'],
  engineOil: ['internalcombustionengine-oillife', 'lifeRemaining'],
  odometer: ['odometer-traveleddistance', 'distance'],
  location: ['location-preciselocation', 'latitude', 'longitude'],
  attributes: ['odometer-traveleddistance', 'id', 'make', 'model', 'year'],
  lockStatus: ['closure-islocked', 'isLocked', 'doors', 'chargingPort'],
  getChargeLimit: ['charge-chargelimits', 'limit'],
  diagnosticSystemStatus: ['diagnostics-mil', 'systems'],
  diagnosticTroubleCodes: ['diagnostics-dtclist', 'activeCodes'],
  serviceHistory: ['service-records', 'data'],
  permissions: ['odometer-traveleddistance', 'permissions', 'paging'],
};

for (const [method, [signal, ...names]] of Object.entries(READS)) {
  test(method, async () => {
    const vehicle = await vehicleWith(signal, method === 'batteryCapacity' ? 'CHEVROLET' : undefined);
    const answer = await vehicle[method]();
    for (const name of names) {
      assert.notEqual(answer[name], undefined, name);
    }
    assert.equal(answer.meta.requestId.length, 36);
  });
}

test('units, age and dates', async () => {
  const vehicle = await vehicleWith('service-records');
  const imperial = new smartcar.Vehicle(vehicle.id, vehicle.token, {unitSystem: 'imperial'});
  const [km, miles] = [await vehicle.odometer(), await imperial.odometer()];
  assert.ok(Math.abs(miles.distance / km.distance - 0.621371) < 0.001);
  assert.equal(miles.meta.unitSystem, 'imperial');
  assert.ok(km.meta.dataAge <= km.meta.fetchedAt);
  assert.deepEqual((await vehicle.serviceHistory('2090-01-01', '2100-01-01')).data, []);
});

test('batch', async () => {
  const vehicle = await vehicleWith('internalcombustionengine-fuellevel', 'FORD');
  const answer = await vehicle.batch(['/', '/odometer', '/security', '/tires/pressure', '/nothing']);
  assert.equal(answer.attributes().id, vehicle.id);
  assert.equal(answer.odometer().distance, (await vehicle.odometer()).distance);
  assert.ok(answer.lockStatus().doors);
  assert.throws(() => answer.nothing(), (error) => error.type === undefined || error.type === 'RESOURCE_NOT_FOUND');
});

test('lock, unlock, and a refusal of the car', async () => {
  const vehicle = await vehicleWith('closure-islocked', 'VOLKSWAGEN');
  assert.equal((await vehicle.unlock()).status, 'success');
  assert.equal((await vehicle.lockStatus()).isLocked, false);
  assert.equal((await vehicle.lock()).status, 'success');
  await set(vehicle, {doors: [[0, 0]]});
  const error = await refusal(vehicle.lock());
  assert.deepEqual([error.statusCode, error.type, error.code], [409, 'VEHICLE_STATE', 'DOOR_OPEN']);
  assert.equal(error.requestId.length, 36);
  assert.ok(error.docURL && error.description);
});

test('startCharge, stopCharge and setChargeLimit', async () => {
  const vehicle = await vehicleWith('charge-ischarging', 'VOLKSWAGEN');
  await set(vehicle, {plugged_in: true, state_of_charge: 60, charge_limit: 90, charging: false});
  assert.equal((await vehicle.startCharge()).status, 'success');
  assert.equal((await vehicle.charge()).state, 'CHARGING');
  assert.equal((await vehicle.stopCharge()).status, 'success');
  assert.equal((await vehicle.setChargeLimit(0.7)).status, 'success');
  assert.equal((await vehicle.getChargeLimit()).limit, 0.7);
});

test('sendDestination and request', async () => {
  const vehicle = await vehicleWith('odometer-traveleddistance', 'TESLA');
  assert.equal((await vehicle.sendDestination(37.78, -122.42)).status, 'success');
  const answer = await vehicle.request('GET', 'tesla/virtual_key');
  assert.deepEqual(answer.body, {isPaired: true});
});

test('subscribe, a signed delivery, getSignals, getSignal and unsubscribe', async () => {
  const vehicle = await vehicleWith('odometer-traveleddistance', 'VOLVO');
  const made = await vehicle.subscribe('node');
  assert.deepEqual([made.webhookId, made.vehicleId], ['node', vehicle.id]);
  const about = ({event}) => event.data.vehicle && event.data.vehicle.id === vehicle.id;
  for (let turn = 0; turn < 100 && !deliveries.some(about); turn += 1) {
    await new Promise((wait) => { setTimeout(wait, 50); });
  }
  const {event, signature} = deliveries.find(about);
  assert.equal(event.eventType, 'VEHICLE_STATE');
  assert.ok(smartcar.verifyPayload(AMT, signature, event));
  const everything = await vehicle.getSignals();
  const one = await vehicle.getSignal('odometer-traveleddistance');
  assert.ok(everything.body.data.length > 10);
  assert.equal(one.body.data.attributes.body.unit, 'km');
  assert.equal((await vehicle.unsubscribe(AMT, 'node')).status, 'success');
});

test('retry-after arrives', async () => {
  const vehicle = await vehicleWith('odometer-traveleddistance');
  await control('POST', '/troubles', {rateLimited: 1});
  const error = await refusal(vehicle.odometer());
  await control('DELETE', '/troubles');
  assert.deepEqual([error.code, error.retryAfter], ['VEHICLE', '30']);
});

test('disconnect', async () => {
  const vehicle = await vehicleWith('odometer-traveleddistance', 'JEEP');
  assert.equal((await vehicle.disconnect()).status, 'success');
  assert.equal((await refusal(vehicle.odometer())).type, 'AUTHENTICATION');
});

test('the version and no method left out', () => {
  assert.equal(smartcar.getApiVersion(), '2.0');
  smartcar.setApiVersion('2.0');
  const tested = require('node:fs').readFileSync(__filename, 'utf8');
  const offered = [
    ...Object.keys(smartcar.Vehicle.prototype),
    ...Object.keys(smartcar.AuthClient.prototype),
    ...Object.keys(smartcar).filter((name) => !/^[A-Z]/.test(name)),
  ];
  assert.ok(offered.length > 35);
  assert.deepEqual(offered.filter((name) => !tested.includes(`.${name}(`) && !(name in READS)), []);
});
