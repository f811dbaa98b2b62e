/** The environment's name for the path of the journal. */
export const JOURNAL_VARIABLE = 'SOAK_JOURNAL';
