import "./home.css";
import { $api } from "../api/client";
import { Chat } from "../components/Chat";
import { DraftCard } from "../components/DraftCard";
import { Frameworks } from "../components/Frameworks";
import { RecentJobs } from "../components/RecentJobs";
import { Failure, Skeleton } from "../components/states";
import { useTitle } from "../lib/hooks";
import { useConversation } from "../live/use-conversation";
import { useWords } from "../words";

/** The chat beside what it fills in and what it started. */
export function HomePage() {
  const t = useWords();
  useTitle("");
  const conversation = useConversation();
  return (
    <>
      <h1 className="visually-hidden">{t.shell.home}</h1>
      <div className="home">
        <Chat conversation={conversation} />
        <div className="stack">
          {conversation.draft && <DraftCard draft={conversation.draft} missing={conversation.missing} busy={conversation.busy} onStart={() => conversation.say(t.chat.sayYes)} />}
          <RecentJobs />
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
