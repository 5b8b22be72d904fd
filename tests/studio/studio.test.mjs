// SPDX-License-Identifier: MIT
// The studio in two browsers. Its program is sh, and its files are scripts, which wait until they may
// go on: until there is a file of their name and ".go".
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { Served, assertReadable, assertRising, card, looks, open, patience, until }
    from "../publish/browser.mjs";

class Studio extends Served {
  static async start(scripts) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "xofn-studio-"));
    fs.mkdirSync(path.join(folder, "in"));
    for (const [name, script] of Object.entries(scripts)) {
      fs.writeFileSync(path.join(folder, "in", name), script);
    }
    const folders = ["in", "out"].map((name) => path.join(folder, name));
    const studio = await super.start("--workers=1", ...folders, "sh", "{}");
    studio.folder = folder;
    return studio;
  }

  go(name) { fs.writeFileSync(path.join(this.folder, "in", `${name}.go`), ""); }

  /// By Ctrl-C, or another signal.
  async stop(signal = "SIGINT") {
    this.process.kill(signal);
    assert.deepEqual(await this.ended, [0, null]);
    fs.rmSync(this.folder, { recursive: true });
  }
}

async function withStudio(scripts, body) {
  const studio = await Studio.start(scripts);
  try {
    await body(studio);
  } finally {
    await studio.stop();
  }
}

const waits = 'while [ ! -e "$0.go" ]; do sleep 0.02; done; ';
const makes = `${waits}echo made`;
const fails_first = `${waits}[ -e "$0.good" ] || { : >"$0.good"; echo "no such <codec>" >&2; exit 1; }`;

const row = (page, name, is) =>
    page.waitForSelector(`#files li[data-name="${name}"][data-is="${is}"]`, { timeout: patience });
const box = (page, name) => page.getByRole("checkbox", { name, exact: true });
const button = (page, name) => page.getByRole("button", { name });

async function close(...pages) {
  for (const page of pages) {
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  }
}

test("two browsers see what one has begun: the same X, never back, and what failed, once more", () =>
  withStudio({ "a.png": makes, "b.mp4": fails_first, "c d.wav": makes, "e.png": makes,
               "notes.txt": "" }, async (studio) => {
    const one = await open(studio.url), other = await open(studio.url);
    await box(one, "e.png").waitFor();
    assert.equal(await one.locator("#files li").count(), 4);
    assert.ok(await button(one, "Run sh").isDisabled());
    await box(one, "all").check();
    await box(one, "e.png").uncheck();
    await button(one, "Run sh on 3 files").click();
    for (const page of [one, other]) {
      await row(page, "a.png", "running");
      await row(page, "c d.wav", "waiting");
      await row(page, "e.png", "");
      assert.ok(await button(page, "Run sh").isDisabled());
    }
    for (const [i, name] of ["a.png", "b.mp4", "c d.wav"].entries()) {
      studio.go(name);
      for (const page of [one, other]) await until(page, "sh", `[data-completed='${i + 1}']`);
    }
    for (const page of [one, other]) {
      await until(page, "sh", "[data-state='failed'][data-ended='true']");
      await row(page, "a.png", "succeeded");
      const failed = await row(page, "b.mp4", "failed");
      assert.match(await failed.innerText(), /b\.mp4: sh ended with 1: no such <codec>/);
      await row(page, "c d.wav", "succeeded");
      assert.equal(await page.locator("#files li[data-is='failed']").count(), 1);
      assertRising(await page.evaluate("shown.sh"), 3);
      await page.evaluate("shown.sh = []");
    }
    const download = one.waitForEvent("download");
    await one.getByRole("link", { name: "result of c d.wav" }).click();
    assert.equal(fs.readFileSync(await (await download).path(), "utf8"), "made\n");

    await other.locator("#log summary").click();
    const log = other.getByLabel("Log", { exact: true });
    await log.getByText(/batch finished {2}3\/3/).waitFor();
    const lines = (await log.textContent()).split("\n");
    assert.deepEqual(lines.map((line) => line.match(/\d\/3/)?.[0]).filter(Boolean),
                     ["1/3", "2/3", "3/3", "3/3"]);
    assert.ok(lines.some((line) => /item failed {2}2\/3 {2}b\.mp4 {2}.*no such <codec>/.test(line)));

    await button(other, "Retry 1 failed").click();
    for (const page of [one, other]) {
      await until(page, "sh", "[data-completed='1'][data-total='1'][data-state='finished']");
      await row(page, "b.mp4", "succeeded");
      assert.ok(await page.locator("#retry").isHidden());
      assertRising((await page.evaluate("shown.sh")).filter((x) => x < 3), 1);
    }
    await other.getByText(/batch finished {2}1\/1/).waitFor();
    await close(one, other);
  }));

test("each of two browsers pauses, resumes and cancels, and both see it", () =>
  withStudio({ "a.png": makes, "b.png": makes, "c.png": "sleep 60", "d.png": makes },
             async (studio) => {
    const one = await open(studio.url), other = await open(studio.url);
    await box(one, "all").check();
    await button(one, "Run sh on 4 files").click();
    await row(other, "a.png", "running");
    await button(other, "Pause sh").click();
    for (const page of [one, other]) await until(page, "sh", "[data-state='paused']");
    studio.go("a.png");
    studio.go("b.png");
    for (const page of [one, other]) {
      await row(page, "a.png", "succeeded");
      await row(page, "b.png", "waiting");
      await until(page, "sh", "[data-completed='1'][data-state='paused']");
    }
    await button(one, "Resume sh").click();
    for (const page of [one, other]) await row(page, "c.png", "running");
    other.once("dialog", (dialog) => dialog.accept());
    await button(other, "Cancel sh").click();  // and it is not waited for: it is killed
    for (const page of [one, other]) {
      await until(page, "sh", "[data-completed='2'][data-state='cancelled'][data-ended='true']");
      await row(page, "c.png", "cancelled");
      await row(page, "d.png", "cancelled");
      assertRising(await page.evaluate("shown.sh"), 2);
    }
    await box(other, "d.png").check();
    studio.go("d.png");
    await button(other, "Run sh on 1 file").click();
    for (const page of [one, other]) await row(page, "d.png", "succeeded");
    await close(one, other);
  }));

test("a log with a line that was cut off is shown", () =>
  withStudio({ "a.png": makes }, async (studio) => {
    fs.appendFileSync(path.join(studio.folder, "out", "log.jsonl"), '{"event": "item_st\n');
    const page = await open(studio.url);
    await page.locator("#log summary").click();
    await page.getByText('{"event": "item_st').waitFor();
    await close(page);
  }));

test("who has no token sees all, and begins nothing until it is entered", () =>
  withStudio({ "a.png": makes }, async (studio) => {
    const page = await open(studio.url.replace(/#.*/, ""));
    await box(page, "a.png").check();
    await button(page, "Run sh on 1 file").click();
    await page.getByRole("alert").getByText("The token is another.").waitFor();
    assert.ok(await box(page, "a.png").isChecked());
    assert.equal((await fetch(new URL("api/batches/sh", studio.url))).status, 404);
    await page.getByLabel(/the token/).fill(studio.url.replace(/.*token=/, ""));
    await button(page, "Enter").click();
    await button(page, "Run sh on 1 file").click();
    await row(page, "a.png", "running");
    studio.go("a.png");
    await row(page, "a.png", "succeeded");
    await page.context().close();
  }));

test("Ctrl-C ends it while a program runs, and the page says so", async () => {
  const studio = await Studio.start({ "a.png": "sleep 60" });
  const page = await open(studio.url);
  await box(page, "a.png").check();
  await button(page, "Run sh on 1 file").click();
  await row(page, "a.png", "running");
  await studio.stop();
  await until(page, "sh", "[data-state='cancelled'][data-ended='true']");
  await page.waitForSelector("#contact[data-is='lost']");
  await page.context().close();
});

test("SIGTERM ends it, and no program is left behind", async () => {
  const studio = await Studio.start({ "a.png": "sleep 60" });
  const page = await open(studio.url);
  await box(page, "a.png").check();
  await button(page, "Run sh on 1 file").click();
  await row(page, "a.png", "running");
  await studio.stop("SIGTERM");
  await page.context().close();
});

test("it is readable in light and dark, on a phone, and by keyboard alone", () => {
  const scripts = { "a-name-that-is-long-and-has-no-place-to-break-the-line-at-all-0001.png": makes };
  for (const name of ["beach.jpg", "concert.flac", "dawn.png", "evening.mp4"]) scripts[name] = makes;
  scripts["broken.mov"] = fails_first;
  return withStudio(scripts, async (studio) => {
    for (const name of Object.keys(scripts).slice(0, 2)) studio.go(name);
    studio.go("broken.mov");
    const page = await open(studio.url, looks.light);
    await box(page, "dawn.png").waitFor();
    await box(page, "all").focus();
    await page.keyboard.press("Space");
    await box(page, "evening.mp4").focus();
    await page.keyboard.press("Space");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await row(page, "concert.flac", "running");
    await page.getByRole("status").filter({ hasText: "sh: running, 3 of 5, 1 failed" }).waitFor();
    for (const [name, look] of Object.entries(looks)) {
      const page = await open(studio.url, look);
      await row(page, "concert.flac", "running");
      await page.locator("#log summary").click();
      await page.getByText(/item started {2}concert\.flac/).waitFor();
      await box(page, "evening.mp4").check();
      await assertReadable(page, name);
      await close(page);
    }
    await close(page);
  });
});
