// Chromium for tests/py/browser.py: reads one command a line (JSON) from standard input and writes one answer a line to standard output.
//
//   {"do": "open", "page": "ada", "url": "http://…", "width": 900, "height": 600, "dark": false, "phone": false}      a browser of its own for each page: nothing is shared
//   {"do": "fill" | "press" | "click" | "evaluate" | "screenshot" | "aria" | "offline" | "reload" | "problems" | "close", "page": "ada", …}
//
// An answer is {"result": …} or {"error": "…"}. The end of the input is the end of everything.
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const [executablePath, milliseconds] = process.argv.slice(2);
const timeout = Number(milliseconds);
const pages = new Map();

// Chromium refuses to build its sandbox as root, which is who runs tests in a container.
const browser = await chromium.launch({ executablePath, chromiumSandbox: process.getuid() !== 0, timeout });

const commands = {
  async open({ page: name, url, width, height, dark, phone, scale }) {
    const context = await browser.newContext({
      viewport: { width, height }, colorScheme: dark ? "dark" : "light", isMobile: phone, hasTouch: phone, deviceScaleFactor: scale, locale: "en-GB", timezoneId: "UTC", reducedMotion: "reduce",
    });
    const page = await context.newPage();
    page.setDefaultTimeout(timeout);
    page.problems = [];
    page.on("pageerror", error => page.problems.push(`${error}`));
    page.on("console", message => message.type() === "error" && page.problems.push(message.text()));
    page.on("request", request => new URL(request.url()).origin === new URL(url).origin || request.url().startsWith("data:") || page.problems.push(`asked for ${request.url()}`));
    pages.set(name, page);
    await page.goto(url, { timeout });
  },
  fill: ({ selector, text }, page) => page.fill(selector, text),
  press: ({ selector, key }, page) => page.press(selector, key),
  click: ({ selector }, page) => page.click(selector),
  evaluate: ({ code }, page) => page.evaluate(code),
  screenshot: ({ path }, page) => page.screenshot({ path, animations: "disabled" }).then(() => path),
  aria: (_, page) => page.locator("body").ariaSnapshot(),
  offline: ({ offline }, page) => page.context().setOffline(offline),
  reload: (_, page) => page.reload({ timeout }).then(() => null),
  problems: (_, page) => page.problems.splice(0),
  async close({ page: name }, page) {
    pages.delete(name);
    await page.context().close();
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  let answer;
  try {
    answer = { result: (await commands[command.do](command, pages.get(command.page))) ?? null };
  } catch (error) {
    answer = { error: `${error.message}` };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
await browser.close();
