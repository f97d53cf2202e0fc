// What looking.py asks of a page. It is there before the app is; `__look` is no name of the app's.
{
  const ask = window.fetch;
  let asked = 0;
  window.fetch = (...given) => {
    asked += 1;
    return ask(...given).finally(() => {
      asked -= 1;
    });
  };
  addEventListener("securitypolicyviolation", (event) => console.error("CSP", event.violatedDirective, event.blockedURI));

  const twoFrames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));

  /** Whether all is there that will be. `cut`: nobody answers, so it is what the page says of that. */
  function isQuiet(cut) {
    const main = document.querySelector("#main");
    if (document.querySelector("[data-left]") || !(main ? main.firstElementChild : document.querySelector("h1"))) return false;
    if (cut) return document.querySelector(".shell-lost") !== null;
    return (
      asked === 0 &&
      document.querySelector(".skeleton, [data-loading=true]") === null &&
      document.fonts.status === "loaded" &&
      [...document.images].every((image) => image.complete)
    );
  }

  /** Within the app. What is there is marked, to be told from the page that comes, whose code may have to be fetched. */
  function go(path) {
    for (const open of document.querySelectorAll("dialog[open]")) open.close();
    for (const open of document.querySelectorAll(":popover-open")) open.hidePopover();
    document.activeElement?.blur();
    scrollTo(0, 0);
    document.querySelector("#main")?.firstElementChild?.setAttribute("data-left", "");
    history.pushState(null, "", path);
  }

  const nameOf = (element) => [element.tagName.toLowerCase(), ...element.classList].join(".");

  /** The nearest element that scrolls it or cuts it off; null if that is the page. */
  function scrollerOf(element) {
    const above = element?.parentElement;
    if (!above || above.id === "root") return null;
    return getComputedStyle(above).overflow === "visible" ? scrollerOf(above) : above;
  }

  const isApart = (element) => element.closest("dialog, [popover]") !== null;

  function sideways() {
    const { scrollWidth } = document.documentElement;
    if (scrollWidth <= innerWidth) return [];
    const wide = [...document.querySelectorAll("#root *")].find((e) => e.getBoundingClientRect().right > innerWidth + 1 && scrollerOf(e) === null);
    return [`the page scrolls sideways: ${scrollWidth} px are in ${innerWidth}, by ${wide ? nameOf(wide) : "a text"}`];
  }

  function covered() {
    const bar = document.querySelector(".shell-nav");
    if (!bar || getComputedStyle(bar).position !== "fixed") return [];
    const { top } = bar.getBoundingClientRect();
    const found = [];
    for (const element of document.querySelectorAll("#root *")) {
      const { position, visibility } = getComputedStyle(element);
      if (position !== "fixed" && (position !== "sticky" || scrollerOf(element) !== null)) continue;
      const box = element.getBoundingClientRect();
      if (!bar.contains(element) && !isApart(element) && visibility === "visible" && box.height > 0 && box.bottom > top + 1 && box.top < innerHeight)
        found.push(`${nameOf(element)} and the bottom navigation lie over each other`);
    }
    const before = scrollY;
    scrollTo(0, document.documentElement.scrollHeight);
    const texts = document.createTreeWalker(document.querySelector("#main") ?? document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const { data, parentElement: holder } = texts.currentNode;
      if (!data.trim() || !holder.checkVisibility() || isApart(holder) || holder.closest(".visually-hidden")) continue;
      const range = document.createRange();
      range.selectNodeContents(texts.currentNode);
      const box = (scrollerOf(holder) ?? range).getBoundingClientRect();
      if (box.height > 0 && box.bottom > top + 1) found.push(`“${data.slice(0, 30)}” cannot be scrolled out from under the bottom navigation`);
    }
    scrollTo(0, before);
    return found.slice(0, 5);
  }

  function nonsense() {
    const said = document.body.innerText.match(/.{0,20}(undefined|NaN|\[object |Infinity|Invalid Date).{0,20}/);
    return said ? [`it says “${said[0]}”`] : [];
  }

  async function violations(rules) {
    const found = await axe.run(document, { runOnly: { type: "tag", values: rules }, resultTypes: ["violations"], preload: false });
    const why = (node) => (node.any[0] ?? node.all[0] ?? node.none[0])?.message ?? "";
    return found.violations.map(({ id, help, nodes }) =>
      [`axe ${id}: ${help}`, ...nodes.slice(0, 4).map((node) => `  ${node.target.join(" ")}: ${why(node)}\n    ${node.html.slice(0, 200)}`)].join("\n"),
    );
  }

  window.__look = {
    twoFrames,
    isQuiet,
    go,
    findings: async (rules) => [...sideways(), ...covered(), ...nonsense(), ...(await violations(rules))],
  };
}
