/**
 * The words of the pages for those who look after projects and the server. They come with those pages, in both languages,
 * and not with the first load as the others do; what `index.ts` says holds for them too.
 */

import { adminEn } from "./admin-en";
import { adminKo } from "./admin-ko";
import { useWords } from "./index";
import type { Language } from "./locale";

export type AdminWords = typeof adminEn;

const CATALOGUES: Record<Language, AdminWords> = { en: adminEn, ko: adminKo };

export const useAdminWords = (): AdminWords => CATALOGUES[useWords().language];
