import {
  createTheme,
  defaultVariantColorsResolver,
  type CSSVariablesResolver,
  type MantineColorsTuple,
  type VariantColorsResolver,
} from "@mantine/core";

/** Greys with the green of the ink in them. Mantine builds its surfaces and borders from these two. */
const gray: MantineColorsTuple = [
  "#f2f5f4", "#e8edeb", "#dfe6e3", "#d3dbd8", "#c2cdc8", "#7d8d87", "#4b5b55", "#37463f", "#22332c", "#10201b",
];
const dark: MantineColorsTuple = [
  "#e6edea", "#c6d1cc", "#a3b3ac", "#8b9c95", "#2a3833", "#22302b", "#141c19", "#0c1210", "#090e0c", "#050807",
];

const variants: VariantColorsResolver = (input) => {
  const danger = input.color === "red";
  if (input.variant === "filled") {
    const [tone, hover] = danger ? ["var(--bad)", "var(--bad-hover)"] : ["var(--ink)", "var(--ink-hover)"];
    return { background: tone, hover, hoverColor: "var(--on-ink)", color: "var(--on-ink)", border: "1px solid transparent" };
  }
  if (input.variant === "subtle") {
    const color = danger ? "var(--bad)" : "var(--ink)";
    return { background: "transparent", hover: "var(--sunken)", hoverColor: color, color, border: "1px solid transparent" };
  }
  return defaultVariantColorsResolver(input);
};

export const theme = createTheme({
  colors: { gray, dark },
  primaryColor: "gray",
  primaryShade: { light: 9, dark: 0 },
  defaultRadius: "sm",
  radius: { sm: "6px", md: "10px" },
  fontFamily: "var(--font)",
  fontFamilyMonospace: "var(--mono)",
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.9375rem" },
  variantColorResolver: variants,
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: "sm" } },
    TextInput: { defaultProps: { size: "sm", withAsterisk: false } },
    PasswordInput: { defaultProps: { size: "sm", withAsterisk: false } },
    Select: { defaultProps: { size: "sm", withAsterisk: false, checkIconPosition: "right" } },
  },
});

export const cssVariables: CSSVariablesResolver = () => {
  const both = {
    "--mantine-color-body": "var(--page)",
    "--mantine-color-text": "var(--ink)",
    "--mantine-color-dimmed": "var(--dim)",
    "--mantine-color-placeholder": "var(--dim)",
    "--mantine-color-error": "var(--bad)",
    "--mantine-color-default": "var(--surface)",
    "--mantine-color-default-hover": "var(--sunken)",
    "--mantine-color-default-color": "var(--ink)",
    "--mantine-color-default-border": "var(--line)",
    "--input-bd-focus": "var(--ink)",
  };
  return { variables: {}, light: both, dark: both };
};
