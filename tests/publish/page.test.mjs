// SPDX-License-Identifier: MIT
// The page in a real browser: what it shows of a program's batches, and what its buttons do.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Served, assertReadable, assertRising, card, looks, open, until } from "./browser.mjs";

/// A program that does one step after the other.
class Program extends Served {
  static start(port = 0, token = "") {
    return super.start(...[port, token].filter((word) => word !== ""));
  }

  async do(step) {
    this.process.stdin.write(step + "\n");
    assert.equal((await this.lines.next()).value, "done", step);
  }

  /// Ends it as it would by itself, or at once.
  async stop(at_once = false) {
    if (at_once) this.process.kill("SIGKILL");
    else this.process.stdin.end();
    await this.ended;
  }
}

async function withProgram(body, ...how) {
  const program = await Program.start(...how);
  try {
    await body(program);
  } finally {
    await program.stop();
  }
}

test("X goes up live, never back, to the end, and the failures are named", () =>
  withProgram(async (program) => {
    await program.do("start clips 20");
    const page = await open(program.url);
    await until(page, "clips", "[data-completed='0']");
    for (let x = 1; x <= 19; ++x) {
      await program.do("go clips 1");
      await until(page, "clips", `[data-completed='${x}'][data-state='running']`);
    }
    assert.equal(await page.locator("#contact").textContent(), "live");
    assert.equal(await card(page, "clips").locator(".count").textContent(), "19/20");
    assert.match(await card(page, "clips").locator(".facts").textContent(),
                 /^95 %.*\/s.*00:0\d.*left.*1 running.*4 failed$/);
    await program.do("go clips 1");
    await until(page, "clips", "[data-completed='20'][data-state='failed'][data-ended='true']");
    await program.do("drop clips");
    const failures = card(page, "clips").locator("details");
    assert.equal(await failures.locator("summary").textContent(), "5 failures");
    await failures.locator("summary").click();
    const items = await failures.locator("li").allTextContents();
    assert.equal(items.length, 5);
    assert.equal(items[0], "item 3: clip 3.mp4: <b>no such codec</b>");  // as it was written
    assertRising(await page.evaluate("shown.clips"), 20);
    assert.deepEqual([...new Set(page.asked.map((url) => new URL(url).origin))],
                     [new URL(program.url).origin]);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  }));

test("many items at once are shown rising as well", () =>
  withProgram(async (program) => {
    await program.do("start clips 100000");
    const page = await open(program.url);
    await until(page, "clips", "[data-completed='0']");
    await program.do("free clips");
    await until(page, "clips", "[data-completed='100000'][data-ended='true']");
    assertRising(await page.evaluate("shown.clips"), 100000);
    assert.match(await card(page, "clips").locator("summary").textContent(),
                 /^25,000 failures, of which the first 50$/);
    await page.context().close();
  }));

for (const [how, prepare] of Object.entries({
  "without WebSocket": (page) => page.addInitScript(() => delete window.WebSocket),
  "where none can be opened": (page) => page.routeWebSocket(/.*/, (socket) => socket.close()),
})) {
  test(`${how} the page asks, and X never falls`, () =>
    withProgram(async (program) => {
      await program.do("start clips 12");
      const page = await open(program.url, {}, prepare);
      await until(page, "clips", "[data-completed='0']");
      await page.waitForSelector("#contact[data-is='asking']");
      for (const x of [5, 10, 12]) {
        await program.do(`go clips ${x === 12 ? 2 : 5}`);
        await until(page, "clips", `[data-completed='${x}']`);
      }
      await until(page, "clips", "[data-ended='true']");
      assertRising(await page.evaluate("shown.clips"), 12);
      assert.deepEqual(page.complaints, []);
      await page.context().close();
    }));
}

test("buttons pause, resume and cancel, for who has the token", () =>
  withProgram(async (program) => {
    await program.do("start clips 20");
    await program.do("go clips 2");
    const page = await open(program.url);
    assert.equal(new URL(page.url()).hash, "", "the token is not left in the address");
    const button = (what) => page.getByRole("button", { name: `${what} clips` });
    await button("Pause").click();
    await until(page, "clips", "[data-state='paused']");
    assert.equal((await program.state("clips")).state, "paused");
    assert.equal(await button("Pause").count(), 0);
    await page.reload();  // the tab remembers the token
    await button("Resume").click();
    await until(page, "clips", "[data-state='running']");
    page.once("dialog", (dialog) => dialog.dismiss());
    await button("Cancel").click();
    assert.equal((await program.state("clips")).state, "running");
    page.once("dialog", (dialog) => dialog.accept());
    await button("Cancel").click();
    await until(page, "clips", "[data-state='cancelling']");
    await program.do("free clips");
    await until(page, "clips", "[data-state='cancelled'][data-ended='true']");
    assert.ok(await card(page, "clips").locator(".controls").isHidden());
    assert.match(await card(page, "clips").locator(".facts").textContent(), /\d+ cancelled/);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  }, 0, "secret"));

test("who has no token, or another, is asked for it", () =>
  withProgram(async (program) => {
    await program.do("start clips 20");
    const page = await open(program.url.replace("secret", "guessed"));
    await page.getByRole("button", { name: "Pause clips" }).click();
    const field = page.getByLabel(/the token/);
    await field.fill("secret");
    assert.ok(await card(page, "clips").locator(".controls").isHidden());
    assert.equal((await program.state("clips")).state, "running");
    await field.press("Enter");
    await page.getByRole("button", { name: "Pause clips" }).click();
    await until(page, "clips", "[data-state='paused']");
    await page.context().close();
  }, 0, "secret"));

test("without controls there are no buttons, and nobody is asked for a token", () =>
  withProgram(async (program) => {
    await program.do("start clips 20");
    const page = await open(program.url);
    await until(page, "clips", "");
    assert.equal(await page.getByRole("button").count(), 0);
    assert.ok(await page.locator("#unlock").isHidden());
    await page.context().close();
  }));

test("batches come and go on the page", () =>
  withProgram(async (program) => {
    const page = await open(program.url);
    await page.waitForSelector("#none");
    await program.do("start clips 4");
    await program.do("start songs 5");
    await until(page, "songs", "");
    assert.ok(await page.locator("#none").isHidden());
    await program.do("forget clips");
    await card(page, "clips").waitFor({ state: "detached" });
    await program.do("free songs");
    await until(page, "songs", "[data-ended='true']");
    await program.do("drop songs");
    await program.do("start songs 8");  // another of that name
    await until(page, "songs", "[data-completed='0'][data-total='8']");
    assert.equal(await card(page, "songs").locator("li").count(), 0);
    assert.equal(await page.locator("article").count(), 1);
    await page.context().close();
  }));

test("the page finds a server again that was away, and one that has begun anew", async () => {
  const first = await Program.start();
  await first.do("start clips 20");
  await first.do("go clips 9");
  const page = await open(first.url);
  await until(page, "clips", "[data-completed='9']");
  await first.stop(true);
  await page.waitForSelector("#contact[data-is='lost']");
  assert.equal(await card(page, "clips").locator(".count").textContent(), "9/20");
  const second = await Program.start(first.port);
  await second.do("start clips 20");
  await second.do("go clips 2");
  await until(page, "clips", "[data-completed='2']");
  await page.waitForSelector("#contact[data-is='live']");
  await second.stop();
  await page.context().close();
});

// --- Who sees it, and on what ---

test("it is readable in light and dark, on a phone, and by a screen reader", () =>
  withProgram(async (program) => {
    for (const step of ["start clips 40", "go clips 19", "start songs 12", "start films 8",
                        "start a-batch-with-a-long-name-that-has-no-place-to-break-the-line-at 7",
                        "free songs", "go films 3"]) {
      await program.do(step);
    }
    for (const [name, look] of Object.entries(looks)) {
      const page = await open(program.url, look);
      await until(page, "songs", "[data-ended='true']");
      if (name === "light") {
        await page.getByRole("button", { name: "Pause films" }).click();
        await until(page, "films", "[data-state='paused']");
      }
      await card(page, "clips").locator("summary").click();
      await assertReadable(page, name);
      if (name === "light") {
        const bar = page.getByRole("progressbar", { name: "clips" });
        assert.equal(await bar.evaluate((b) => `${b.value}/${b.max}`), "19/40");
        await page.getByRole("article", { name: "clips" }).waitFor();
        await page.getByRole("heading", { name: "clips", level: 2 }).waitFor();
        await program.do("go clips 1");  // half of it: that is said
        await page.getByRole("status").filter({ hasText: "clips: running, 20 of 40, 5 failed" })
            .waitFor();
        await program.do("go clips 1");
        await until(page, "clips", "[data-completed='21']");
        assert.match(await page.locator("#said").textContent(), /20 of 40/);  // and this is not
        assert.equal(await page.title(),
            "21/40 clips, 3/8 films, " +
            "0/7 a-batch-with-a-long-name-that-has-no-place-to-break-the-line-at");
      }
      await page.context().close();
    }
  }, 0, "secret"));
