import "./home.css";
import { $api } from "../api/client";
import { Chat } from "../components/Chat";
import { DraftCard } from "../components/DraftCard";
import { Frameworks } from "../components/Frameworks";
import { Needs } from "../components/Needs";
import { News } from "../components/News";
import { RecentJobs } from "../components/RecentJobs";
import { Failure, Skeleton } from "../components/states";
import { percent } from "../lib/format";
import { useTitle } from "../lib/hooks";
import { progressOf, useRunning } from "../live/active";
import { useConversation } from "../live/use-conversation";
import { useWords } from "../words";

const RUNNING_MS = 2_000;

/** What runs and what needs somebody, then the chat, with what it fills in below. */
export function HomePage() {
  const t = useWords();
  const running = useRunning(RUNNING_MS).data?.items;
  useTitle(running?.length ? t.shell.runningTitle({ n: running.length, percent: percent(Math.floor(progressOf(running))) }) : "");
  const conversation = useConversation();
  return (
    <>
      <h1 className="visually-hidden">{t.shell.home}</h1>
      <div className="home">
        <div className="home-now stack">
          <News />
          <RecentJobs />
          <Needs />
        </div>
        <Chat conversation={conversation} />
        <div className="home-rest stack">
          {conversation.draft && <DraftCard draft={conversation.draft} missing={conversation.missing} busy={conversation.busy} onStart={() => conversation.say(t.chat.sayYes)} />}
          <FrameworkStates />
        </div>
      </div>
    </>
  );
}

function FrameworkStates() {
  const models = $api.useQuery("get", "/api/v1/models", {}, {
    refetchInterval: (query) => (query.state.data?.items.some((f) => f.status === "installing") ? 3_000 : 60_000),
  });
  if (models.isError) return <Failure error={models.error} retry={() => void models.refetch()} />;
  if (!models.data) return <Skeleton height={140} />;
  return <Frameworks frameworks={models.data.items} />;
}
