// SPDX-License-Identifier: MIT
// The page in a real browser: what it shows of a program's batches, and what its buttons do.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import path from "node:path";
import readline from "node:readline";
import { after, before, test } from "node:test";

const { chromium } = createRequire(path.resolve("here.js"))("playwright-core");
const patience = 20_000;

/// A program with a page, which does one step after the other.
class Program {
  static async start(port = 0, token = "") {
    const program = new Program();
    program.process = spawn(process.env.PAGE_PROGRAM, [port, token].filter((a) => a !== ""),
                            { stdio: ["pipe", "pipe", "inherit"] });
    program.ended = once(program.process, "exit");
    program.lines = readline.createInterface({ input: program.process.stdout })[Symbol.asyncIterator]();
    program.url = (await program.lines.next()).value;
    return program;
  }

  get port() { return Number(new URL(this.url).port); }

  async do(step) {
    this.process.stdin.write(step + "\n");
    assert.equal((await this.lines.next()).value, "done", step);
  }

  async state(name) {
    return (await fetch(new URL(`api/batches/${name}`, this.url))).json();
  }

  /// Ends it as it would by itself, or at once.
  async stop(at_once = false) {
    if (at_once) this.process.kill("SIGKILL");
    else this.process.stdin.end();
    await this.ended;
  }
}

let browser;
before(async () => {
  const args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"];
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args });
});
after(() => browser?.close());

/// A page that keeps each X that it has shown, what it has asked for, and what it has complained of.
async function open(url, options = {}, prepare = async () => {}) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(patience);
  const page = await context.newPage();
  page.asked = [];
  page.complaints = [];
  page.on("request", (request) => page.asked.push(request.url()));
  page.on("console", (message) => {
    if (message.type() === "error") page.complaints.push(message.text());
  });
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  await page.addInitScript(() => {
    window.shown = {};
    new MutationObserver((changes) => {
      for (const { target: { dataset: { name, completed } } } of changes) {
        (window.shown[name] ??= []).push(Number(completed));
      }
    }).observe(document, { subtree: true, attributeFilter: ["data-completed"] });
  });
  await prepare(page);
  await page.goto(url);
  return page;
}

const card = (page, name) => page.locator(`article[data-name="${name}"]`);
const until = (page, name, what) =>
    page.waitForSelector(`article[data-name="${name}"]${what}`, { timeout: patience });

function assertRising(numbers, last) {
  assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b), "X falls");
  assert.equal(numbers.at(-1), last);
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

/// The least contrast of a text on the page with what is behind it, as WCAG has it.
function leastContrast() {
  const rgba = (color) => color.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const part = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const behind = (element) => {
    for (let e = element; e !== null; e = e.parentElement) {
      const color = rgba(getComputedStyle(e).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const contrast = (element) => {
    const [high, low] = [light(rgba(getComputedStyle(element).color)), light(behind(element))]
        .sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  return [...document.querySelectorAll("body *")]
      .filter((e) => e.checkVisibility() && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
      .map((e) => [contrast(e), e.textContent.slice(0, 40)])
      .sort(([a], [b]) => a - b)[0];
}

test("it is readable in light and dark, on a phone, and by a screen reader", () =>
  withProgram(async (program) => {
    for (const step of ["start clips 40", "go clips 19", "start songs 12", "start films 8",
                        "start a-batch-with-a-long-name-that-has-no-place-to-break-the-line-at 7",
                        "free songs", "go films 3"]) {
      await program.do(step);
    }
    const looks = {
      light: { colorScheme: "light", viewport: { width: 900, height: 900 } },
      dark: { colorScheme: "dark", viewport: { width: 900, height: 900 } },
      phone: { colorScheme: "light", viewport: { width: 320, height: 640 }, hasTouch: true,
               isMobile: true, deviceScaleFactor: 2 },
    };
    for (const [name, look] of Object.entries(looks)) {
      const page = await open(program.url, { reducedMotion: "reduce", ...look });
      await until(page, "songs", "[data-ended='true']");
      if (name === "light") {
        await page.getByRole("button", { name: "Pause films" }).click();
        await until(page, "films", "[data-state='paused']");
      }
      await card(page, "clips").locator("summary").click();
      const [contrast, text] = await page.evaluate(leastContrast);
      assert.ok(contrast >= 4.5, `${name}: a contrast of ${contrast} at "${text}"`);
      assert.ok(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"),
                `${name}: it is wider than the screen`);
      for (const button of await page.getByRole("button").all()) {
        assert.ok((await button.boundingBox()).height >= 44, `${name}: a button is too low to touch`);
      }
      await page.screenshot({ path: `${name}.png`, fullPage: true });
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
