/** The dialog that asks for confirmation before the page changes anything on the server. */
import { element, say } from './text.ts';

/** Resolves with whether the user confirms. @param title begins with the verb, which the button repeats */
export function confirmed(title: string, text: string): Promise<boolean> {
  return opened(title, text, false);
}

/** The range that the user chose; null if cancelled. */
export async function chosenRange(
  title: string,
  text: string,
  from: { readonly min: number; readonly max: number },
): Promise<{ readonly min: number; readonly max: number } | null> {
  const min = element<HTMLInputElement>('ask-min');
  const max = element<HTMLInputElement>('ask-max');
  min.value = String(from.min);
  max.value = String(from.max);
  if (!(await opened(title, text, true))) return null;
  return { min: Number(min.value), max: Number(max.value) };
}

function opened(title: string, text: string, hasRange: boolean): Promise<boolean> {
  const dialog = element<HTMLDialogElement>('ask');
  if (dialog.open) return Promise.resolve(false);
  say(element('ask-title'), title);
  say(element('ask-text'), text);
  say(element('ask-yes'), title.split(' ')[0] as string);
  element('ask-range').hidden = !hasRange;
  dialog.returnValue = 'no';
  dialog.showModal();
  if (!hasRange) element('ask-no').focus();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}
