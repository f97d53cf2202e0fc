import "./shell.css";
import { ActionIcon, Button, useMantineColorScheme, type MantineColorScheme } from "@mantine/core";
import { useColorScheme } from "@mantine/hooks";
import { Link, Outlet, useRouter } from "@tanstack/react-router";
import { Boxes, CircleUserRound, Gauge, House, Images, Monitor, Moon, Plus, Sun } from "lucide-react";
import { useEffect } from "react";
import { api, queryClient } from "../api/client";
import { useConnectionLost } from "../api/connection";
import { session, useUser } from "../api/session";
import { answers } from "../live/answers";
import { useWords } from "../words";
import { LanguageSwitch } from "./LanguageSwitch";
import { Mark } from "./Mark";

const NAVIGATION = [
  { to: "/", word: "home", icon: House },
  { to: "/datasets", word: "datasets", icon: Images },
  { to: "/jobs", word: "jobs", icon: Gauge },
  { to: "/models", word: "models", icon: Boxes },
] as const;

/** What stands around every page of somebody signed in. */
export function Shell() {
  const t = useWords();
  const lost = useConnectionLost();
  useLeaveWhenSignedOut();
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
            <Button component={Link} to="/train" size="xs" leftSection={<Plus size={15} aria-hidden />}>
              {t.newTraining}
            </Button>
            <SchemeToggle />
            <Account />
          </div>
        </div>
        {lost && (
          <div className="shell-lost" role="status">
            {t.shell.lost}
          </div>
        )}
      </header>
      <main id="main" className="shell-main" tabIndex={-1}>
        <Outlet />
      </main>
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
        <LanguageSwitch />
        <Button variant="default" size="xs" onClick={() => void signOut()}>
          {t.shell.signOut}
        </Button>
      </div>
    </>
  );
}

async function signOut(): Promise<void> {
  await api.POST("/api/v1/auth/logout", { body: {} }).catch(() => null);
  session.end();
  answers.forget();
  queryClient.clear();
}
