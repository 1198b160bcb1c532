import { Feeder, timesTillNow } from "./feeder.js";
import { equal, test } from "./harness.js";

const waveOf = (times) => Array.from(times, (_, i) => Math.sin(i / 9));
const after = (times, count, stepMs) => Float64Array.from({ length: count }, (_, i) => times.at(-1) + stepMs * (i + 1));

test("null for so long that nothing else is in sight is said, and is no value", async () => {
  const feeder = new Feeder({ "c.a": "V" });
  const chart = await feeder.chart({ signals: "c.a", window: "5" });
  feeder.feed.handle({ type: "status", channels: { c: { last: Date.now(), limit: 2000 } } });
  const times = timesTillNow(100, 20).map((time) => time - 7000);
  feeder.window(times, { "c.a": waveOf(times) });
  const nulls = after(times, 350, 20);
  feeder.send(nulls.slice(0, 50), { "c.a": Array(50).fill(NaN) });
  feeder.draw();
  equal([chart.state, feeder.said().words, feeder.said().readings], ["live", "", ["−1.000\u202fV"]]);
  feeder.send(nulls.slice(50), { "c.a": Array(300).fill(NaN) });
  feeder.draw();
  equal([chart.state, feeder.said().words, feeder.said().readings], ["empty", "No values: all are null", ["–"]]);
  feeder.close();
});
