// SPDX-License-Identifier: MIT
// What the tests of pages share: a program with a page, a browser, and what a page must be.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import path from "node:path";
import readline from "node:readline";
import { after, before } from "node:test";

const { chromium } = createRequire(path.resolve("here.js"))("playwright-core");
export const patience = 20_000;

/// The program that is to be tested, which prints first where its page is.
export class Served {
  static async start(...words) {
    const program = new this();
    program.process = spawn(process.env.PAGE_PROGRAM, words, { stdio: ["pipe", "pipe", "inherit"] });
    program.ended = once(program.process, "exit");
    program.lines = readline.createInterface({ input: program.process.stdout })[Symbol.asyncIterator]();
    program.url = (await program.lines.next()).value.replace(/^see /, "");
    return program;
  }

  get port() { return Number(new URL(this.url).port); }

  async state(name) {
    return (await fetch(new URL(`api/batches/${name}`, this.url))).json();
  }
}

let browser;
before(async () => {
  const args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"];
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args });
});
after(() => browser?.close());

/// A page that keeps each X that it has shown, what it has asked for, and what it has complained of.
export async function open(url, options = {}, prepare = async () => {}) {
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

export const card = (page, name) => page.locator(`article[data-name="${name}"]`);
export const until = (page, name, what) =>
    page.waitForSelector(`article[data-name="${name}"]${what}`, { timeout: patience });

export function assertRising(numbers, last) {
  assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b), "X falls");
  assert.equal(numbers.at(-1), last);
}

const still = { reducedMotion: "reduce" };
export const looks = {
  light: { ...still, colorScheme: "light", viewport: { width: 900, height: 900 } },
  dark: { ...still, colorScheme: "dark", viewport: { width: 900, height: 900 } },
  phone: { ...still, colorScheme: "light", viewport: { width: 320, height: 640 }, hasTouch: true,
           isMobile: true, deviceScaleFactor: 2 },
};

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

/// Readable for who sees little, on a narrow screen, and to be touched. Keeps a picture of it.
export async function assertReadable(page, name) {
  const [contrast, text] = await page.evaluate(leastContrast);
  assert.ok(contrast >= 4.5, `${name}: a contrast of ${contrast} at "${text}"`);
  assert.ok(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"),
            `${name}: it is wider than the screen`);
  for (const button of await page.getByRole("button").all()) {
    assert.ok((await button.boundingBox()).height >= 44, `${name}: a button is too low to touch`);
  }
  await page.screenshot({ path: `${name}.png`, fullPage: true });
}
