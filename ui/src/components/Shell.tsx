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
import { Mark } from "./Mark";

const NAVIGATION = [
  { to: "/", label: "Home", icon: House },
  { to: "/datasets", label: "Data sets", icon: Images },
  { to: "/jobs", label: "Jobs", icon: Gauge },
  { to: "/models", label: "Models", icon: Boxes },
] as const;

/** What stands around every page of somebody signed in. */
export function Shell() {
  const lost = useConnectionLost();
  useLeaveWhenSignedOut();
  return (
    <div className="shell">
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <header className="shell-bar">
        <div className="shell-bar-in">
          <Link to="/" className="brand">
            <Mark />
            VisionAI
          </Link>
          <nav className="shell-nav" aria-label="Main">
            {NAVIGATION.map(({ to, label, icon: Icon }) => (
              <Link key={to} to={to} activeOptions={{ exact: to === "/", includeSearch: false }}>
                <Icon size={19} aria-hidden />
                {label}
              </Link>
            ))}
          </nav>
          <div className="row">
            <Button component={Link} to="/train" size="xs" leftSection={<Plus size={15} aria-hidden />}>
              New training
            </Button>
            <SchemeToggle />
            <Account />
          </div>
        </div>
        {lost && (
          <div className="shell-lost" role="status">
            Connection lost, reconnecting… What you see may be out of date.
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

const SCHEMES = {
  light: { label: "Use light colours", icon: Sun },
  dark: { label: "Use dark colours", icon: Moon },
  auto: { label: "Use the system's colours", icon: Monitor },
};

/** From the system's colours to the other ones, back to these, and back to the system's whatever they are. */
function SchemeToggle() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const order: MantineColorScheme[] = useColorScheme() === "dark" ? ["auto", "light", "dark"] : ["auto", "dark", "light"];
  const next = order[(order.indexOf(colorScheme) + 1) % order.length]!;
  const { label, icon: Icon } = SCHEMES[next];
  return (
    <ActionIcon variant="subtle" size="lg" onClick={() => setColorScheme(next)} aria-label={label} title={label}>
      <Icon size={18} />
    </ActionIcon>
  );
}

function Account() {
  const user = useUser();
  return (
    <>
      <ActionIcon variant="subtle" size="lg" aria-label="Account" popoverTarget="account">
        <CircleUserRound size={19} />
      </ActionIcon>
      <div id="account" popover="auto" className="account">
        <p className="break">
          {user?.name || user?.email}
          <span className="dim small"> · {user?.role}</span>
        </p>
        <Button variant="default" size="xs" onClick={() => void signOut()}>
          Sign out
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
