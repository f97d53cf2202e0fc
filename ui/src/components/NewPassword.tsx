import { PasswordInput } from "@mantine/core";
import { useState } from "react";
import { useWords } from "../words";

const SHORTEST = 10;

type Password = { value: string; short: boolean; change: (typed: string) => void; fits: () => boolean };

/** A password to come. Here it is only counted; whether it is easy to guess, the server says. */
export function useNewPassword(): Password {
  const [value, setValue] = useState("");
  const [short, setShort] = useState(false);
  return {
    value,
    short,
    change(typed) {
      setValue(typed);
      setShort(false);
    },
    fits() {
      setShort(value.length < SHORTEST);
      return value.length >= SHORTEST;
    },
  };
}

export function NewPassword({ label, password, error }: { label: string; password: Password; error?: string }) {
  const t = useWords().setup;
  return (
    <PasswordInput
      label={label}
      description={t.atLeast({ n: SHORTEST })}
      autoComplete="new-password"
      required
      value={password.value}
      onChange={(e) => password.change(e.currentTarget.value)}
      error={password.short ? t.tooShort({ n: password.value.length, least: SHORTEST }) : error}
    />
  );
}
