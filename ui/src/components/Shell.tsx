import "./shell.css";
import { ActionIcon, Button, useMantineColorScheme, type MantineColorScheme } from "@mantine/core";
import { useColorScheme } from "@mantine/hooks";
import { Link, Outlet, useRouter } from "@tanstack/react-router";
import { Bell, BellRing, Boxes, CircleUserRound, Gauge, House, Images, Monitor, Moon, Plus, Search, Sun } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { useConnection } from "../api/connection";
import { useUser } from "../api/session";
import { signOut } from "../api/sign-out";
import { shortcutOf, type Shortcut } from "../lib/keys";
import { isAdmin, looksAfter } from "../lib/people";
import { browser } from "../live/notices";
import { useWords, type Words } from "../words";
import { LanguageSwitch } from "./LanguageSwitch";
import { Mark } from "./Mark";

const NAVIGATION = [
  { to: "/", word: "home", icon: House },
  { to: "/datasets", word: "datasets", icon: Images },
  { to: "/jobs", word: "jobs", icon: Gauge },
  { to: "/models", word: "models", icon: Boxes },
] as const;

/** Fetched where they are first asked for, but the watch, which comes after the page. */
const Palette = lazy(() => import("./Palette").then((module) => ({ default: module.Palette })));
const Keys = lazy(() => import("./Keys").then((module) => ({ default: module.Keys })));
const Watch = lazy(() => import("./Watch").then((module) => ({ default: module.Watch })));

/** What stands around every page of somebody signed in. */
export function Shell() {
  const t = useWords();
  const connection = useConnection();
  const maker = useUser()?.role !== "viewer";
  const [open, setOpen] = useState<Shortcut | null>(null);
  useLeaveWhenSignedOut();
  useShortcuts(setOpen);
  return (
    <div className="shell">
      <a className="skip" href="#main">
        {t.shell.skip}
      </a>
      <header className="shell-bar">
        <div className="shell-bar-in">
          <Link to="/" className="brand">
            <Mark />
            VisionAI
          </Link>
          <nav className="shell-nav" aria-label={t.shell.main}>
            {NAVIGATION.map(({ to, word, icon: Icon }) => (
              <Link key={to} to={to} activeOptions={{ exact: to === "/", includeSearch: false }}>
                <Icon size={19} aria-hidden />
                {t.shell[word]}
              </Link>
            ))}
          </nav>
          <div className="row">
            {maker && (
              <Button component={Link} to="/train" size="xs" className="shell-new" aria-label={t.newTraining}>
                <Plus size={15} aria-hidden />
                <span className="shell-new-name">{t.newTraining}</span>
              </Button>
            )}
            <ActionIcon variant="subtle" size="lg" onClick={() => setOpen("palette")} aria-label={t.shell.find} title={t.shell.find} aria-keyshortcuts="Control+K Meta+K">
              <Search size={18} />
            </ActionIcon>
            {browser.can && <NotifyToggle />}
            <SchemeToggle />
            <Account />
          </div>
        </div>
        <div role="status">{connection !== "fine" && <div className="shell-lost" data-healed={connection === "healed"}>{connection === "lost" ? t.shell.lost : t.shell.healed}</div>}</div>
      </header>
      <main id="main" className="shell-main" tabIndex={-1}>
        <Outlet />
      </main>
      <Suspense>
        <Watch />
        {open === "palette" && <Palette onClose={() => setOpen((now) => (now === "palette" ? null : now))} onShortcuts={() => setOpen("sheet")} />}
        {open === "sheet" && <Keys onClose={() => setOpen(null)} />}
      </Suspense>
    </div>
  );
}

function useLeaveWhenSignedOut(): void {
  const user = useUser();
  const router = useRouter();
  useEffect(() => {
    if (user) return;
    const here = router.state.location.href;
    void router.navigate({ to: "/login", search: here === "/" ? {} : { next: here } });
  }, [user, router]);
}

function useShortcuts(open: (shortcut: Shortcut) => void): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const shortcut = shortcutOf(event);
      if (shortcut === null) return;
      // The browser's own search opens with these, too.
      event.preventDefault();
      // What is open already asks for an answer first.
      if (!document.querySelector("dialog[open]")) open(shortcut);
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, [open]);
}

/** Messages outside of the page: the browser asks whether it may only after a click here. */
function NotifyToggle() {
  const t = useWords().shell;
  const [on, setOn] = useState(browser.on);
  const [refused, setRefused] = useState(false);
  const Icon = on ? BellRing : Bell;
  const label = refused ? t.notifyRefused : on ? t.notifyOff : t.notify;
  async function change(): Promise<void> {
    if (on) browser.off();
    const allowed = !on && (await browser.ask());
    setRefused(!on && !allowed);
    setOn(allowed);
  }
  return (
    <>
      <ActionIcon variant="subtle" size="lg" className="shell-bell" onClick={() => void change()} aria-pressed={on} aria-label={t.notify} title={label}>
        <Icon size={18} />
      </ActionIcon>
      {refused && (
        <span className="shell-refused small" role="alert">
          {t.notifyRefused}
        </span>
      )}
    </>
  );
}

const SCHEMES = { light: Sun, dark: Moon, auto: Monitor };

/** From the system's colours to the other ones, back to these, and back to the system's whatever they are. */
function SchemeToggle() {
  const t = useWords().shell;
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const order: MantineColorScheme[] = useColorScheme() === "dark" ? ["auto", "light", "dark"] : ["auto", "dark", "light"];
  const next = order[(order.indexOf(colorScheme) + 1) % order.length]!;
  const Icon = SCHEMES[next];
  return (
    <ActionIcon variant="subtle" size="lg" onClick={() => setColorScheme(next)} aria-label={t[next]} title={t[next]}>
      <Icon size={18} />
    </ActionIcon>
  );
}

const MENU = [
  { to: "/projects", say: (t: Words) => t.people.projects, who: () => true },
  { to: "/people", say: (t: Words) => t.people.title, who: looksAfter },
  { to: "/audit", say: (t: Words) => t.shell.audit, who: isAdmin },
  { to: "/system", say: (t: Words) => t.shell.system, who: isAdmin },
] as const;

const closeAccount = (): void => document.getElementById("account")?.hidePopover();

function Account() {
  const t = useWords();
  const user = useUser();
  return (
    <>
      <ActionIcon variant="subtle" size="lg" aria-label={t.shell.account} popoverTarget="account">
        <CircleUserRound size={19} />
      </ActionIcon>
      <div id="account" popover="auto" className="account">
        <p className="break">
          {user?.name || user?.email}
          {user && <span className="dim small"> · {t.roles[user.role]}</span>}
        </p>
        <p>
          <Link to="/account" onClick={closeAccount}>
            {t.account.title}
          </Link>
        </p>
        {MENU.filter(({ who }) => who(user)).map(({ to, say }) => (
          <p key={to}>
            <Link to={to} onClick={closeAccount}>
              {say(t)}
            </Link>
          </p>
        ))}
        <LanguageSwitch />
        <Button variant="default" size="xs" onClick={() => void signOut()}>
          {t.shell.signOut}
        </Button>
      </div>
    </>
  );
}
