// Read a calendar with ical.js and print its items as JSON, as read_calendar.py does: read_calendar.mjs FILE.
// NODE_PATH names the node_modules folder that holds ical.js; exit code 77 when it is not there.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

let ICAL;
try {
  ICAL = createRequire(import.meta.url)("ical.js");
} catch (error) {
  console.error(error.message.split("\n")[0]);
  process.exit(77);
}

// An ICAL.Time prints a day as 2026-11-24 and an instant in UTC as 2026-11-24T09:00:00Z.
const moment = (part, name) => part.getFirstPropertyValue(name)?.toString() ?? null;

const calendar = new ICAL.Component(ICAL.parse(readFileSync(process.argv[2], "utf8")));
const items = calendar.getAllSubcomponents().map((part) => ({
  component: part.name.toUpperCase(),
  uid: part.getFirstPropertyValue("uid"),
  start: moment(part, "dtstart"),
  end: moment(part, part.name === "vevent" ? "dtend" : "due"),
  summary: part.getFirstPropertyValue("summary"),
  description: part.getFirstPropertyValue("description") ?? "",
}));
console.log(JSON.stringify(items));
