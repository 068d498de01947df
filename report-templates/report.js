// Filter, sort and jump. The page says everything without this; what is here only makes it shorter
// to find. It asks nothing of the network, stores nothing, and writes text only as text.
(() => {
  "use strict";
  const make = (name, more, ...inside) => {
    const element = document.createElement(name);
    Object.assign(element, more);
    element.append(...inside);
    return element;
  };
  const words = (element) => element.textContent.replace(/\s+/g, " ").trim();

  // A row that a link leads to is opened first, with whatever it stands in.
  const open = (id) => {
    let at = id && document.getElementById(id);
    if (!at) return;
    at.hidden = false;
    for (let outer = at; outer; outer = outer.parentElement) {
      if (outer.matches("details")) outer.open = true;
    }
    at.scrollIntoView();
  };
  const opened = () => open(decodeURIComponent(location.hash.slice(1)));
  addEventListener("hashchange", opened);

  // Lists of rows that open: show only those with some words, open or close all.
  document.querySelectorAll("main .rows").forEach((list, number) => {
    const rows = [...list.querySelectorAll(":scope > .row")];
    if (rows.length < 2) return;
    const input = make("input", { type: "search", id: `filter-${number}`, autocomplete: "off" });
    const count = make("span", { className: "soft" });
    count.setAttribute("role", "status");
    const toggle = make("button", { type: "button" });
    const shown = () => rows.filter((row) => !row.hidden);
    const name = () => {
      toggle.textContent = shown().some((row) => !row.open) ? "Open all" : "Close all";
    };
    const texts = rows.map((row) => words(row).toLowerCase());
    input.addEventListener("input", () => {
      const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      rows.forEach((row, at) => {
        row.hidden = !wanted.every((word) => texts[at].includes(word));
      });
      count.textContent = wanted.length ? `${shown().length} of ${rows.length} shown` : "";
      name();
    });
    toggle.addEventListener("click", () => {
      const close = shown().every((row) => row.open);
      shown().forEach((row) => {
        row.open = !close;
      });
    });
    list.addEventListener("toggle", name, true);
    name();
    const label = make("label", { htmlFor: input.id }, "Show rows with");
    list.before(make("div", { className: "tools" }, label, input, toggle, count));
  });

  // Tables: a head that is pressed sorts by its column; the third press brings the order back.
  const value = (cell) => {
    if (!cell) return "";
    const level = cell.querySelector(".level");
    const rank = level && /level-(\d)/.exec(level.className);
    if (rank) return Number(rank[1]);
    const text = words(cell);
    const figure = text.replace(/,/g, "");
    return cell.classList.contains("number") && figure !== "" && Number.isFinite(Number(figure)) ? Number(figure) : text;
  };
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
  document.querySelectorAll("main table:not(.sign)").forEach((table) => {
    const body = table.tBodies[0];
    const heads = table.tHead ? [...table.tHead.rows[0].cells] : [];
    if (!body || body.rows.length < 3) return;
    const printed = [...body.rows];
    if (printed.some((row) => row.cells.length !== heads.length)) return;
    heads.forEach((head, column) => {
      const button = make("button", { type: "button", className: "sort" }, ...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const next = { ascending: "descending", descending: "none" }[head.getAttribute("aria-sort")] || "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        const rows = [...printed];
        if (next !== "none") {
          head.setAttribute("aria-sort", next);
          const sign = next === "ascending" ? 1 : -1;
          rows.sort((a, b) => sign * compare(value(a.cells[column]), value(b.cells[column])));
        }
        body.append(...rows);
      });
    });
  });

  // Jump: sections, findings and risks by some of their words.
  const index = document.querySelector("nav.index ol");
  if (index) {
    const targets = [...document.querySelectorAll("nav.index ol a")].map((link) => [words(link), link.hash.slice(1)]);
    document.querySelectorAll("main .row[id]").forEach((row) => {
      const said = row.querySelector(".said");
      if (said) targets.push([words(said), row.id]);
    });
    const input = make("input", { type: "search", id: "jump", autocomplete: "off" });
    const found = make("ul", { className: "found" });
    const count = make("p", { className: "soft" });
    count.setAttribute("role", "status");
    input.addEventListener("input", () => {
      const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      const hits = wanted.length
        ? targets.filter(([text]) => wanted.every((word) => text.toLowerCase().includes(word)))
        : [];
      found.replaceChildren(
        ...hits.slice(0, 8).map(([text, id]) => {
          const link = make("a", { href: `#${id}`, textContent: text.length > 90 ? `${text.slice(0, 90)}…` : text });
          link.addEventListener("click", () => open(id));
          return make("li", {}, link);
        }),
      );
      count.textContent = wanted.length ? `${hits.length} found${hits.length > 8 ? ", 8 shown" : ""}` : "";
    });
    const label = make("label", { htmlFor: "jump" }, "Jump to");
    index.before(make("div", { className: "jump" }, label, input, count, found));
  }
  opened();
})();
