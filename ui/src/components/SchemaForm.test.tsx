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
    pretrained: { type: ["boolean", "null"], title: "Pretrained", default: null, "x-group": "Model" },
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
  const [basics, optimizer, model] = screen.getAllByRole("group");
  expect(within(basics!).getByLabelText("Epochs")).toHaveValue("30");
  expect(within(basics!).getByLabelText("Mixed precision")).not.toBeChecked();
  expect(within(optimizer!).getByLabelText("Learning rate")).toBeInTheDocument();
  expect(within(model!).getByText("Pretrained")).toBeInTheDocument();
});

test("a switch that may be left to the trainer has three ways, and a way back", async () => {
  render(<Form />);
  const pretrained = screen.getByRole("radiogroup", { name: "Pretrained" });
  const choose = (name: string) => userEvent.click(within(pretrained).getByLabelText(name));
  expect(within(pretrained).getByLabelText("Automatic")).toBeChecked();
  await choose("No");
  expect(differences(fields, latest.mock.lastCall![0])).toEqual({ pretrained: false });
  await choose("Yes");
  expect(differences(fields, latest.mock.lastCall![0])).toEqual({ pretrained: true });
  await choose("Automatic");
  expect(differences(fields, latest.mock.lastCall![0])).toEqual({});
});

test("a section with a wrong value does not close over it", async () => {
  render(<Form />);
  const section = screen.getAllByRole("group")[1]!;
  expect(section).not.toHaveAttribute("open");
  await userEvent.clear(screen.getByLabelText("Learning rate"));
  expect(section).toHaveAttribute("open");
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
  expect(screen.getByText("Enter a whole number.")).toBeInTheDocument();
  expect(latest.mock.lastCall![0].epochs).toBe("1x");
});

test("what the server refused is said at its field", () => {
  render(<Form errors={{ optimizer: "is not known" }} />);
  expect(screen.getByText("is not known")).toBeInTheDocument();
});

test("what has to be filled in is marked and said, and what may be left out is not", async () => {
  const needy = fieldsOf({
    required: ["classes"],
    properties: { classes: { type: "integer", title: "Classes" }, margin: { type: "number", title: "Margin" } },
  });
  render(
    <MantineProvider env="test">
      <SchemaForm fields={needy} value={defaultsOf(needy)} onChange={latest} />
    </MantineProvider>,
  );
  const classes = screen.getByRole("textbox", { name: /Classes/ });
  expect(classes).toHaveAttribute("aria-required", "true");
  expect(classes).toHaveAccessibleDescription(/fill it in/);
  expect(screen.getByRole("textbox", { name: "Margin" })).toBeValid();
  await userEvent.type(classes, "4");
  expect(latest.mock.lastCall![0]).toEqual({ classes: 4, margin: null });
});
