import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet, redirect } from "@tanstack/react-router";
import { session } from "./api/session";
import { Shell } from "./components/Shell";
import { Failure, NotFound, Skeleton } from "./components/states";
import { auditSearch } from "./lib/audit";
import { readDatasetSearch, readImageSearch } from "./lib/dataset-search";
import { readJobSearch } from "./lib/job-search";
import { jobSearch, oneOf, text } from "./lib/search";

const root = createRootRoute({ component: Outlet });

const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  validateSearch: (search): { next?: string } => ({ next: text(search.next) }),
  beforeLoad: () => {
    if (session.user()) throw redirect({ to: "/" });
  },
  component: lazyRouteComponent(() => import("./pages/login"), "LoginPage"),
});
const setup = createRoute({
  getParentRoute: () => root,
  path: "/setup",
  component: lazyRouteComponent(() => import("./pages/setup"), "SetupPage"),
});
const invitation = createRoute({
  getParentRoute: () => root,
  path: "/invitation",
  component: lazyRouteComponent(() => import("./pages/invitation"), "InvitationPage"),
});
const reset = createRoute({
  getParentRoute: () => root,
  path: "/reset",
  component: lazyRouteComponent(() => import("./pages/reset"), "ResetPage"),
});

const inside = createRoute({
  getParentRoute: () => root,
  id: "inside",
  beforeLoad: ({ location }) => {
    if (!session.user()) throw redirect({ to: "/login", search: location.href === "/" ? {} : { next: location.href } });
  },
  component: Shell,
});
const home = createRoute({
  getParentRoute: () => inside,
  path: "/",
  validateSearch: (search): { chat?: string } => ({ chat: text(search.chat) }),
  component: lazyRouteComponent(() => import("./pages/home"), "HomePage"),
});
const datasets = createRoute({
  getParentRoute: () => inside,
  path: "/datasets",
  validateSearch: (search): { project?: string; q?: string } => ({ project: text(search.project), q: text(search.q) }),
  component: lazyRouteComponent(() => import("./pages/datasets"), "DatasetsPage"),
});
const dataset = createRoute({
  getParentRoute: () => inside,
  path: "/datasets/$datasetId",
  validateSearch: readDatasetSearch,
  component: lazyRouteComponent(() => import("./pages/dataset"), "DatasetPage"),
});
const image = createRoute({
  getParentRoute: () => inside,
  path: "/datasets/$datasetId/images/$n",
  validateSearch: readImageSearch,
  component: lazyRouteComponent(() => import("./pages/image"), "ImagePage"),
});
const jobs = createRoute({
  getParentRoute: () => inside,
  path: "/jobs",
  validateSearch: jobSearch,
  component: lazyRouteComponent(() => import("./pages/jobs"), "JobsPage"),
});
const job = createRoute({
  getParentRoute: () => inside,
  path: "/jobs/$jobId",
  validateSearch: readJobSearch,
  component: lazyRouteComponent(() => import("./pages/job"), "JobPage"),
});
const compare = createRoute({
  getParentRoute: () => inside,
  path: "/compare",
  validateSearch: (search): { jobs?: string; metric?: string; by?: "recall" | "ap" } => ({
    jobs: text(search.jobs),
    metric: text(search.metric),
    by: oneOf(["recall", "ap"], search.by),
  }),
  component: lazyRouteComponent(() => import("./pages/compare"), "ComparePage"),
});
const train = createRoute({
  getParentRoute: () => inside,
  path: "/train",
  validateSearch: (search): { from?: string; dataset?: string; framework?: string; model?: string; epochs?: string } => ({
    from: text(search.from),
    dataset: text(search.dataset),
    framework: text(search.framework),
    model: text(search.model),
    epochs: text(search.epochs),
  }),
  component: lazyRouteComponent(() => import("./pages/train"), "TrainPage"),
});
const models = createRoute({
  getParentRoute: () => inside,
  path: "/models",
  validateSearch: (search): { q?: string; here?: boolean } => ({ q: text(search.q), here: search.here === true || undefined }),
  component: lazyRouteComponent(() => import("./pages/models"), "ModelsPage"),
});
const account = createRoute({
  getParentRoute: () => inside,
  path: "/account",
  component: lazyRouteComponent(() => import("./pages/account"), "AccountPage"),
});
const people = createRoute({
  getParentRoute: () => inside,
  path: "/people",
  component: lazyRouteComponent(() => import("./pages/people"), "PeoplePage"),
});
const projects = createRoute({
  getParentRoute: () => inside,
  path: "/projects",
  component: lazyRouteComponent(() => import("./pages/projects"), "ProjectsPage"),
});
const audit = createRoute({
  getParentRoute: () => inside,
  path: "/audit",
  validateSearch: auditSearch,
  component: lazyRouteComponent(() => import("./pages/audit"), "AuditPage"),
});
const system = createRoute({
  getParentRoute: () => inside,
  path: "/system",
  component: lazyRouteComponent(() => import("./pages/system"), "SystemPage"),
});
const project = createRoute({
  getParentRoute: () => inside,
  path: "/projects/$projectId",
  component: lazyRouteComponent(() => import("./pages/project"), "ProjectPage"),
});
const nowhere = createRoute({ getParentRoute: () => inside, path: "$", component: () => <NotFound /> });

export const router = createRouter({
  routeTree: root.addChildren([login, setup, invitation, reset, inside.addChildren([home, datasets, dataset, image, jobs, job, compare, train, models, account, people, projects, project, audit, system, nowhere])]),
  defaultPreload: "intent",
  defaultPendingComponent: () => <Skeleton height="40vh" />,
  defaultErrorComponent: ({ error }) => <Failure error={error} retry={() => location.reload()} />,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
  interface HistoryState {
    /** An image that was opened from the grid, to which a step back leads. */
    fromGrid?: true;
  }
}
