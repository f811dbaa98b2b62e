/** Exit codes of the process. They are stable, because scripts rely on them. */
export const ExitCode = {
  Ok: 0,
  Failed: 1,
  ConfigWrong: 2,
  ApplicationFailed: 3,
  GaveUp: 4,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
