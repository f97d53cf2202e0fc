/** The colours of a comparison are told from their ground, and from each other, also by those who see fewer colours. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const [light, dark] = readFileSync(join(import.meta.dirname, "tokens.css"), "utf8").split("[data-mantine-color-scheme");
const token = (sheet: string, name: string): string => new RegExp(`--${name}: (#[0-9a-f]{6})`).exec(sheet)![1]!;

/** After Machado, Oliveira and Fernandes (2009), of full strength. */
const EYES: Record<string, number[][]> = {
  all: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};

const linear = (hex: string): number[] =>
  [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
const times = (matrix: number[][], v: number[]): number[] => matrix.map((line) => line.reduce((sum, n, i) => sum + n * v[i]!, 0));

function contrast(a: string, b: string): number {
  const [x, y] = [a, b].map((hex) => times([[0.2126, 0.7152, 0.0722]], linear(hex))[0]! + 0.05).toSorted((p, q) => q - p);
  return x! / y!;
}

function oklab(hex: string, eyes: number[][]): number[] {
  const seen = times(eyes, linear(hex)).map((c) => Math.max(0, c));
  const cones = times([[0.41222147, 0.53633254, 0.05144599], [0.2119035, 0.6806995, 0.10739696], [0.08830246, 0.28171884, 0.6299787]], seen).map(Math.cbrt);
  return times([[0.21045426, 0.79361779, -0.00407205], [1.9779985, -2.42859221, 0.45059371], [0.02590404, 0.78277177, -0.80867577]], cones);
}

test.each([["light", light!], ["dark", dark!]])("in the %s scheme", (_, sheet) => {
  const colors = Array.from({ length: 8 }, (__, i) => token(sheet, `many-${i + 1}`));
  for (const color of colors) expect(contrast(color, token(sheet, "surface")), color).toBeGreaterThanOrEqual(3);
  for (const [name, eyes] of Object.entries(EYES))
    for (const [i, a] of colors.entries())
      for (const b of colors.slice(i + 1)) expect(Math.hypot(...oklab(a, eyes).map((n, k) => n - oklab(b, eyes)[k]!)), `${a} and ${b}, ${name}`).toBeGreaterThan(0.11);
});
