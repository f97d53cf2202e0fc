import { MantineProvider } from "@mantine/core";
import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { beforeEach, expect, test, vi } from "vitest";
import { defaultsOf, differences, fieldsOf, type Config } from "../lib/schema";
import { SchemaForm } from "./SchemaForm";

const fields = fieldsOf({
  properties: {
    epochs: { type: "integer", title: "Epochs", minimum: 1, default: 30, "x-group": "Basics" },
    learning_rate: { type: "number", title: "Learning rate", exclusiveMinimum: 0, default: 0.01, "x-group": "Optimizer" },
    optimizer: { enum: ["adamw", "sgd"], title: "Optimizer", default: "adamw", "x-group": "Optimizer" },
    amp: { type: "boolean", title: "Mixed precision", default: false, "x-group": "Basics" },
  },
});
const latest = vi.fn<(config: Config) => void>();

function Form({ errors }: { errors?: Record<string, string> }) {
  const [config, setConfig] = useState(defaultsOf(fields));
  const change = (next: Config): void => {
    latest(next);
    setConfig(next);
  };
  return (
    <MantineProvider env="test">
      <SchemaForm fields={fields} value={config} onChange={change} {...(errors && { errors })} />
    </MantineProvider>
  );
}
beforeEach(() => latest.mockClear());

test("fields stand in the groups the schema names", () => {
  render(<Form />);
  const [basics, optimizer] = screen.getAllByRole("group");
  expect(within(basics!).getByLabelText("Epochs")).toHaveValue("30");
  expect(within(basics!).getByLabelText("Mixed precision")).not.toBeChecked();
  expect(within(optimizer!).getByLabelText("Learning rate")).toBeInTheDocument();
});

test("what is typed becomes a number, in any notation", async () => {
  render(<Form />);
  const rate = screen.getByLabelText("Learning rate");
  await userEvent.clear(rate);
  await userEvent.type(rate, "3e-4");
  expect(rate).toHaveValue("3e-4");
  expect(differences(fields, latest.mock.lastCall![0])).toEqual({ learning_rate: 0.0003 });
});

test("what is no number is said at the field and not taken for one", async () => {
  render(<Form />);
  const epochs = screen.getByLabelText("Epochs");
  await userEvent.clear(epochs);
  await userEvent.type(epochs, "1x");
  expect(screen.getByText(/Enter a number/)).toBeInTheDocument();
  expect(latest.mock.lastCall![0].epochs).toBe("1x");
});

test("what the server refused is said at its field", () => {
  render(<Form errors={{ optimizer: "is not known" }} />);
  expect(screen.getByText("is not known")).toBeInTheDocument();
});
