/**
 * The text with everything a terminal would act on made visible: names come from archives, and a name with an escape
 * sequence in it could repaint the screen or hide another name. Line breaks are escaped too.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
  })
}

/** The same for text of several lines: line breaks and nothing else are left to act. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}
