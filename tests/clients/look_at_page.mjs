// Looks at pages as people do, in Chromium, and prints what it found as JSON: look_at_page.mjs CHROMIUM FOLDER CASE...
// A CASE is "name address-that-opens-the-page". NODE_PATH names the node_modules folder that holds puppeteer-core,
// axe-core and html-validate; exit code 77 when one is not there. Screenshots go to FOLDER. For each case it prints
// "change" on a line of its own and waits for a line: meanwhile whoever called changes what is served.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { join } from "node:path";

const require = createRequire(import.meta.url);
let puppeteer, axe, validate;
try {
  puppeteer = require("puppeteer-core");
  axe = require("axe-core").source;
  validate = require("html-validate");
} catch (error) {
  console.error(error.message.split("\n")[0]);
  process.exit(77);
}

const [chromium, folder, ...cases] = process.argv.slice(2);
const sizes = { phone: [390, 844], desktop: [1280, 900], narrow: [320, 640] };
const validator = new validate.HtmlValidate({ extends: ["html-validate:standard"] });
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const browser = await puppeteer.launch({
  executablePath: chromium,
  headless: true,
  args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
});

async function open(address, { size, scheme, script }, found) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  const origin = new URL(address).origin;
  page.on("console", (message) => found.console.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => found.console.push(`error: ${error.message}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(`${origin}/`)) found.strangers.push(request.url());
  });
  await page.setViewport({ width: sizes[size][0], height: sizes[size][1], deviceScaleFactor: size === "phone" ? 2 : 1 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.setJavaScriptEnabled(script);
  await page.goto(address, { waitUntil: "load" });
  return { page, close: () => context.close() };
}

const read = (page) => page.evaluate(() => document.body.innerText);

async function look(name, address) {
  const found = { name, console: [], strangers: [], axe: [], html: [], wide: [], shots: [], walk: [], small: [] };
  for (const size of Object.keys(sizes)) {
    for (const scheme of ["light", "dark"]) {
      const { page, close } = await open(address, { size, scheme, script: true }, found);
      for (const closed of [true, false]) {
        if (closed && size === "desktop" && scheme === "light") found.text = await read(page);
        if (!closed) await page.click("summary");
        found.axe.push(...(await complain(page)));
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        if (width > sizes[size][0]) found.wide.push(`${size}: ${width}`);
        const shot = join(folder, `${name}-${size}-${scheme}${closed ? "" : "-open"}.png`);
        await page.screenshot({ path: shot, fullPage: !name.includes("many") });
        found.shots.push(shot);
      }
      if (size === "phone") {
        // WCAG 2.2, 2.5.8 wants 24 pixels; a thumb in a car park wants more.
        found.small.push(...(await page.$$eval("a:not(.skip):not(.address a), summary", (all) =>
          all.filter((a) => a.getBoundingClientRect().height < 44).map((a) => a.outerHTML))));
      }
      if (size === "desktop" && scheme === "light") {
        found.html = await check(page);
        found.walk = await walk(page);
      }
      await close();
    }
  }
  await lookAside(address, found);
  const plain = await open(address, { size: "phone", scheme: "light", script: false }, found);
  found.without = await read(plain.page);
  found.owners = await filter(plain.page);
  await plain.close();
  found.update = await update(address, found);
  return found;
}

async function complain(page) {
  const results = await page.evaluate(`${axe}; axe.run(document, { resultTypes: ["violations"] })`);
  return results.violations.map(({ id, nodes }) => `${id}: ${nodes[0].html} ${nodes[0].failureSummary}`);
}

async function check(page) {
  const source = await page.evaluate(async () => (await fetch(location.href)).text());
  const report = await validator.validateString(source, page.url());
  return report.results.flatMap((each) => each.messages.map(({ line, ruleId, message }) => `${line}: ${ruleId}: ${message}`));
}

// The other view, and what somebody sees who was not let in.
async function lookAside(address, found) {
  const origin = new URL(address).origin;
  const { page, close } = await open(address, { size: "narrow", scheme: "light", script: true }, found);
  for (const path of ["/?by=client", "/"]) {
    if (path === "/") await page.deleteCookie(...(await page.cookies()));
    await page.goto(`${origin}${path}`, { waitUntil: "load" });
    found.axe.push(...(await complain(page)));
    found.html.push(...(await check(page)));
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    if (width > sizes.narrow[0]) found.wide.push(`${path}: ${width}`);
  }
  found.closed = await read(page);
  // Chromium calls every 403 an error.
  found.console = found.console.filter((line) => !line.includes("status of 403"));
  await close();
}

// Every link by the keyboard alone: what has the focus each time, and whether that can be seen.
async function walk(page) {
  const steps = [];
  await page.goto(page.url(), { waitUntil: "load" });
  const links = (await page.$$("a[href]:not(details:not([open]) a), summary")).length;
  for (let step = 0; step < Math.min(links, 60); step += 1) {
    await page.keyboard.press("Tab");
    steps.push(await page.evaluate(() => {
      const here = document.activeElement;
      const box = here.getBoundingClientRect();
      const seen = box.width > 0 && box.right > 0 && getComputedStyle(here).outlineStyle !== "none";
      return [here.tagName, here.innerText, seen];
    }));
  }
  return steps;
}

// The page of each owner, by touching the links that lead there.
async function filter(page) {
  const texts = {};
  const names = await page.$$eval("nav[aria-label=Owners] a", (all) => all.map((a) => a.innerText));
  for (const name of names) {
    const links = await page.$$("nav[aria-label=Owners] a");
    const link = links[names.indexOf(name)];
    await Promise.all([page.waitForNavigation({ waitUntil: "load" }), link.click()]);
    texts[name] = await read(page);
  }
  return texts;
}

// An open page learns of a change by itself, keeps the focus, and says so when it cannot.
async function update(address, found) {
  const { page, close } = await open(address, { size: "phone", scheme: "light", script: true }, found);
  const last = "main .person:last-of-type li:last-child > a";
  await page.evaluate((which) => document.querySelector(which)?.focus(), last);
  const before = await page.evaluate(() => document.activeElement.getAttribute("href"));
  console.log("change");
  await answers.next();
  await page.evaluate(() => refresh());
  const text = await read(page);
  const after = await page.evaluate(() => document.activeElement.getAttribute("href"));
  await page.setOfflineMode(true);
  await page.evaluate(() => refresh());
  const offline = await page.evaluate(() => document.getElementById("offline").checkVisibility());
  await page.setOfflineMode(false);
  await page.evaluate(() => refresh());
  const online = await page.evaluate(() => !document.getElementById("offline").checkVisibility());
  found.console = found.console.filter((line) => !line.includes("ERR_INTERNET_DISCONNECTED"));
  await close();
  return { text, before, after, offline, online };
}

try {
  for (const each of cases) {
    const [name, address] = each.split(" ");
    console.log(JSON.stringify(await look(name, address)));
  }
} finally {
  await browser.close();
}
process.exit(0);
