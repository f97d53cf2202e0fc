import { renderHook } from "@testing-library/react";
import { expect, test } from "vitest";
import { faviconOf, useFavicon } from "./favicon";

const dash = (state: string, progress: number) => /dasharray="([\d.]+)/.exec(decodeURIComponent(faviconOf(state, progress)))![1];

test("the ring closes with the progress, by whole per cents, and is whole when it has ended", () => {
  expect([dash("running", 0), dash("running", 50.7), dash("running", 100), dash("failed", 3)]).toEqual(["0.0", "31.4", "62.8", "62.8"]);
  expect(faviconOf("running", 41.2)).toBe(faviconOf("running", 41.9));
});

test("a page's icon goes before the one that is shown everywhere", () => {
  document.head.innerHTML = '<link rel="icon" href="http://h/favicon.svg">';
  const icon = document.querySelector<HTMLLinkElement>("link")!;
  const page = renderHook(() => useFavicon("data:,page", { page: true }));
  const everywhere = renderHook(() => useFavicon("data:,everywhere"));
  expect(icon.href).toBe("data:,page");
  page.unmount();
  expect(icon.href).toBe("data:,everywhere");
  everywhere.unmount();
});

test("the product's own icon comes back", () => {
  document.head.innerHTML = '<link rel="icon" href="http://h/favicon.svg">';
  const icon = document.querySelector<HTMLLinkElement>("link")!;
  const { rerender, unmount } = renderHook(({ href }) => useFavicon(href), { initialProps: { href: "data:,a" } });
  expect(icon.href).toBe("data:,a");
  rerender({ href: "data:,b" });
  expect(icon.href).toBe("data:,b");
  unmount();
  expect(icon.href).toBe("http://h/favicon.svg");
});
