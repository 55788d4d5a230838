"use strict";
(() => {
  const { rows, words, pages, shown, columns } = JSON.parse(document.getElementById("data").textContent);
  const [TRADE, OUTCOME, PNL, PNL_BY, CURRENCY, NAKED, WORST, WORST_BY, BEGUN, TOOK, ROUTE, PATH, NOTE] = Array(13).keys();
  const byId = (id) => document.getElementById(id);
  const [form, text, outcome, told, table, pager] = ["text", "text", "outcome", "told", "trades", "first"].map(byId);
  const body = table.tBodies[0];
  const looks = { success: "good", partial_hedged: "good", halted: "bad", rolled_back: "warn" };
  const order = new Map(["halted", "still running", "failed", "rolled_back", "partial_hedged", "blocked", "success"]
    .map((name, rank) => [name, rank]));

  const collator = new Intl.Collator("en", { numeric: true });

  // What a column is sorted by. Money of two currencies is never compared: one currency comes after the other.
  const money = (value) => (a, b) => collator.compare(words[a[CURRENCY]], words[b[CURRENCY]]) || value(a) - value(b);
  const compare = {
    trade: (a, b) => collator.compare(a[TRADE], b[TRADE]),
    outcome: (a, b) => (order.get(words[a[OUTCOME]]) ?? 9) - (order.get(words[b[OUTCOME]]) ?? 9),
    pnl: money((row) => row[PNL_BY]),
    naked: (a, b) => a[NAKED] - b[NAKED],
    worst: money((row) => row[WORST_BY]),
    begun: (a, b) => a[BEGUN] - b[BEGUN],
    took: (a, b) => a[TOOK] - b[TOOK],
    route: (a, b) => collator.compare(words[a[ROUTE]], words[b[ROUTE]]),
    path: (a, b) => collator.compare(words[a[PATH]], words[b[PATH]]),
  };
  // What is not known comes last, whichever way it is sorted.
  const lacking = { pnl: (row) => row[PNL_BY] === null, took: (row) => row[TOOK] === null };
  const number = new Intl.NumberFormat("en");

  // Rounded as the pages round that need no script: halves upwards, in whole microseconds.
  const plain = (value, parts) => {
    const rest = String(value % parts).padStart(String(parts).length - 1, "0").replace(/0+$/, "");
    return Math.floor(value / parts) + (rest && `.${rest}`);
  };
  const rounded = (value, unit) => Math.floor((value + Math.floor(unit / 2)) / unit);
  const lasting = (us) => {
    if (us === 0) return "0 s";
    if (us < 999500) {
      const unit = us < 1000 ? 1 : us < 9995 ? 10 : us < 99950 ? 100 : 1000;
      return `${plain(rounded(us, unit) * unit, 1000)} ms`;
    }
    if (us < 12e7) return `${plain(rounded(us, 10000), 100)} s`;
    const minutes = rounded(us, 6e7);
    if (minutes < 120) return `${minutes} min`;
    const hours = Math.floor(minutes / 60);
    if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
    return hours % 24 ? `${Math.floor(hours / 24)} d ${hours % 24} h` : `${hours / 24} d`;
  };
  const clock = (ms) => new Date(ms).toISOString().slice(0, 19).replace("T", " ");

  let found = rows;
  let by = "begun";
  let falling = true;
  let page = 0;

  const element = (name, content, look) => {
    const made = document.createElement(name);
    if (content !== undefined) made.append(content);
    if (look) made.className = look;
    return made;
  };
  const drawn = (row) => {
    const line = element("tr");
    const name = element("th", undefined, "t");
    name.scope = "row";
    if (Object.hasOwn(pages, row[TRADE])) {
      const link = element("a", row[TRADE]);
      link.href = pages[row[TRADE]];
      name.append(link);
    } else {
      name.append(row[TRADE]);
    }
    const what = words[row[OUTCOME]];
    const came = element("td", undefined, "t");
    came.append(element("span", what.replace("_", " "), `outcome ${looks[what] ?? "plain"}`));
    if (row[NOTE]) came.append(element("span", row[NOTE], "why"));
    line.append(name, came, element("td", row[PNL]), element("td", row[NAKED] ? lasting(row[NAKED]) : ""),
      element("td", row[WORST]), element("td", clock(row[BEGUN])),
      element("td", row[TOOK] === null ? "" : lasting(row[TOOK])), element("td", words[row[ROUTE]], "t"),
      element("td", words[row[PATH]], "t"));
    return line;
  };

  const show = () => {
    const last = Math.max(Math.ceil(found.length / shown) - 1, 0);
    page = Math.min(Math.max(page, 0), last);
    const from = page * shown;
    const some = found.slice(from, from + shown);
    body.replaceChildren(...some.map(drawn));
    const range = found.length > shown ? `, ${number.format(from + 1)} to ${number.format(from + some.length)} shown` : "";
    const all = found.length === rows.length ? "" : ` of ${number.format(rows.length)}`;
    told.textContent = `${number.format(found.length)}${all} trades${range}; by ${labels[by]}, ${falling ? "falling" : "rising"}`;
    table.caption.textContent = "Trades";
    for (const [name, useless] of [["first", page === 0], ["back", page === 0], ["on", page === last], ["last", page === last]]) {
      byId(name).disabled = useless;
    }
    pager.parentElement.hidden = last === 0;
  };
  const sort = () => {
    const less = compare[by];
    const lacks = lacking[by] ?? (() => false);
    found.sort((a, b) => lacks(a) - lacks(b) || (falling ? -less(a, b) : less(a, b)));
  };
  // What a row says, made when it is first asked for: once for each, and not for those nobody looks through.
  const said = new Map();
  const saying = (row) => {
    let all = said.get(row);
    if (all === undefined) {
      all = [row[TRADE], words[row[OUTCOME]], row[PNL], row[WORST], clock(row[BEGUN]), words[row[ROUTE]], words[row[PATH]],
        row[NOTE]].join(" ").toLowerCase();
      said.set(row, all);
    }
    return all;
  };
  const filter = () => {
    const wanted = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const ending = outcome.value;
    found = rows.filter((row) => (!ending || words[row[OUTCOME]] === ending)
      && (!wanted.length || wanted.every((word) => saying(row).includes(word))));
    page = 0;
    sort();
    show();
  };

  const labels = {};
  const heads = Array.from(table.tHead.rows[0].cells);
  const mark = () => heads.forEach((head, place) => {
    const mine = columns[place] === by;
    head.setAttribute("aria-sort", mine ? (falling ? "descending" : "ascending") : "none");
  });
  heads.forEach((head, place) => {
    const name = columns[place];
    labels[name] = head.textContent;
    const button = element("button", head.textContent);
    button.type = "button";
    button.addEventListener("click", () => {
      falling = by === name ? !falling : !["trade", "outcome", "route", "path", "pnl"].includes(name);
      by = name;
      page = 0;
      sort();
      mark();
      show();
    });
    head.replaceChildren(button);
  });

  const turn = { first: () => 0, back: () => page - 1, on: () => page + 1, last: () => Infinity };
  for (const [name, to] of Object.entries(turn)) {
    byId(name).addEventListener("click", () => { page = Math.min(to(), rows.length); show(); });
  }
  let waiting;
  text.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 120); });
  outcome.addEventListener("change", filter);
  form.form.addEventListener("submit", (event) => event.preventDefault());
  form.form.hidden = false;
  mark();
  filter();
})();
