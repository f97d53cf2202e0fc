import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { $api, api, queryClient, unwrap, type Schemas } from "../api/client";
import { problemOf } from "../api/problem";

type Message = Schemas["ChatMessage"];
type Known = Pick<Schemas["Conversation"], "messages" | "choices" | "missing_fields"> & { id: string | null; draft: Schemas["ChatDraft"] | null; jobId: string | null };

export type ConversationView = {
  messages: Message[];
  choices: Schemas["Choice"][];
  draft: Schemas["ChatDraft"] | null;
  missing: string[];
  /** The job the last answer started or speaks of. */
  jobId: string | null;
  loading: boolean;
  busy: boolean;
  /** What was said and not answered yet, or could not be delivered. */
  unanswered: string | null;
  failure: string | null;
  say: (content: string) => void;
  restart: () => void;
};

const NEW = "new";
const EMPTY: Known = { id: null, messages: [], choices: [], draft: null, missing_fields: [], jobId: null };
const keyOf = (chat: string | undefined) => ["conversation", chat ?? "latest"] as const;

/** The conversation of the address (`?chat=…`): the latest one by default, `new` for none yet. */
export function useConversation(): ConversationView {
  const { chat } = useSearch({ from: "/inside/" });
  const navigate = useNavigate({ from: "/" });
  const stored = useQuery({ queryKey: keyOf(chat), queryFn: () => load(chat), staleTime: 60_000 });
  const known = stored.data ?? EMPTY;

  const send = $api.useMutation("post", "/api/v1/chat/message", {
    onSuccess(answer, { body }) {
      const said: Message = { id: `${answer.message.id}-said`, role: "user", content: body.content, created_at: answer.message.created_at };
      const next: Known = {
        id: answer.conversation_id,
        messages: [...known.messages, said, answer.message],
        choices: answer.choices,
        draft: answer.draft ?? null,
        missing_fields: answer.missing_fields,
        jobId: answer.job_id ?? null,
      };
      queryClient.setQueryData(keyOf(chat), next);
      queryClient.setQueryData(keyOf(answer.conversation_id), next);
      if (answer.job_id) void queryClient.invalidateQueries({ queryKey: ["get", "/api/v1/training/jobs"] });
      if (chat !== answer.conversation_id) void navigate({ search: { chat: answer.conversation_id }, replace: true });
    },
  });

  return {
    messages: known.messages,
    choices: known.choices,
    draft: known.draft,
    missing: known.missing_fields,
    jobId: known.jobId,
    loading: stored.isPending,
    busy: send.isPending,
    unanswered: send.isPending || send.isError ? (send.variables?.body.content ?? null) : null,
    failure: send.error ? problemOf(send.error).detail : stored.error ? problemOf(stored.error).detail : null,
    say: (content) => send.mutate({ body: { content, ...(known.id && { conversation_id: known.id }) } }),
    restart() {
      send.reset();
      queryClient.setQueryData(keyOf(NEW), EMPTY);
      void navigate({ search: { chat: NEW } });
    },
  };
}

async function load(chat: string | undefined): Promise<Known> {
  if (chat === NEW) return EMPTY;
  const conversation = chat
    ? await unwrap(api.GET("/api/v1/chat/conversations/{conversation_id}", { params: { path: { conversation_id: chat } } }))
    : (await unwrap(api.GET("/api/v1/chat/conversations", { params: { query: { limit: 1 } } }))).items[0];
  return conversation ? { ...conversation, draft: conversation.draft ?? null, jobId: null } : EMPTY;
}
