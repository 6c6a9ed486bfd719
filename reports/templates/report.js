"use strict";
(() => {
  const all = [...document.querySelectorAll("details.i")];
  const search = document.getElementById("search");
  const none = document.getElementById("none");
  document.documentElement.classList.add("has-js");

  const words = new Map();
  const text = (el) => {
    if (!words.has(el)) {
      const parts = el.querySelectorAll(":scope > summary, .finding, .met");
      words.set(el, [...parts].map((p) => p.textContent).join(" ").toLowerCase());
    }
    return words.get(el);
  };
  const filter = () => {
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const el of all) el.hidden = !wanted.every((w) => text(el).includes(w));
    none.hidden = all.some((el) => el.offsetParent !== null);
  };
  search.addEventListener("input", filter);
  for (const radio of document.getElementsByName("show")) radio.addEventListener("change", filter);

  document.getElementById("open").addEventListener("click", () => all.forEach((el) => { el.open = true; }));
  document.getElementById("close").addEventListener("click", () => all.forEach((el) => { el.open = false; }));

  // a link into something folded or filtered away opens the way to it
  const reveal = (id) => {
    const target = id && document.getElementById(decodeURIComponent(id));
    if (!target) return;
    const instance = target.closest("details.i");
    if (instance && instance.offsetParent === null) {
      document.getElementById("show-all").checked = true;
      search.value = "";
      filter();
    }
    for (let el = target; el; el = el.parentElement) if (el.tagName === "DETAILS") el.open = true;
    target.scrollIntoView({ block: "center" });
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (link) setTimeout(() => reveal(link.getAttribute("href").slice(1)));
  });
  addEventListener("hashchange", () => reveal(location.hash.slice(1)));
  reveal(location.hash.slice(1));

  addEventListener("keydown", (event) => {
    if (event.key === "/" && event.target === document.body) {
      event.preventDefault();
      search.focus();
    }
  });
})();
