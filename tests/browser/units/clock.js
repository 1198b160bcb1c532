import { ServerClock } from "/static/stripchart/clock.js";
import { equal, near, random, test } from "./harness.js";

const SERVER = 1.8e12;

test("the least delayed message tells the time", () => {
  const clock = new ServerClock();
  const next = random(5);
  equal(clock.known, false);
  for (let local = 0; local < 60000; local += 50) {
    clock.observe(SERVER + local - 5 - next() * 80, local);
    clock.now(local);
  }
  near(clock.now(60000), SERVER + 60000 - 5, 3);
});

test("time runs steadily whatever the rhythm of messages", () => {
  const clock = new ServerClock();
  const next = random(6);
  let before = NaN;
  for (let local = 0; local < 40000; local += 16) {
    if (next() < 0.3) clock.observe(SERVER + local - next() * 120, local);
    if (!clock.known) continue;
    const now = clock.now(local);
    if (!Number.isNaN(before)) near(now - before, 16, 0.5);
    before = now;
  }
});

test("time goes on while no message comes", () => {
  const clock = new ServerClock();
  clock.observe(SERVER, 0);
  equal(clock.now(30000), SERVER + 30000);
});

test("a connection that is slow for long does not pass for a clock that is wrong", () => {
  const clock = new ServerClock();
  for (let local = 0; local < 3000; local += 50) clock.observe(SERVER + local - 5, local);
  for (let local = 3000; local < 120000; local += 500) clock.observe(SERVER + local - 2300, local, true);
  near(clock.now(120000), SERVER + 120000 - 5, 1);
  for (let local = 120000; local < 150000; local += 50) clock.observe(SERVER + local - 900, local);
  near(clock.estimate(150000), SERVER + 150000 - 900, 1);
});

test("a step of the server's clock is followed", () => {
  const clock = new ServerClock();
  for (let local = 0; local < 3000; local += 50) clock.observe(SERVER + local, local);
  clock.observe(SERVER + 3000 + 60000, 3000);
  near(clock.now(3000), SERVER + 63000, 1);
});

test("after a new connection the clock believes the new server", () => {
  const clock = new ServerClock();
  clock.observe(SERVER, 0);
  clock.restart();
  equal(clock.now(10), SERVER + 10);
  clock.observe(SERVER - 50000, 20);
  near(clock.now(20), SERVER - 50000, 1);
});
