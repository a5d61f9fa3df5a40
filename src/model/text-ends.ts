/*
 * Ends of texts without regular expressions: `/x+$/` looks at each x of a run that is not at the end again for each one before
 * it, and names from outside may have a million of them.
 */

/** Without these characters at its end. */
export function withoutEnd(text: string, characters: string): string {
  let end = text.length
  while (end > 0 && characters.includes(text.charAt(end - 1))) end -= 1
  return text.slice(0, end)
}

/** Without these characters at its beginning. */
export function withoutStart(text: string, characters: string): string {
  let start = 0
  while (start < text.length && characters.includes(text.charAt(start))) start += 1
  return text.slice(start)
}

/** What stands before the first of these characters; all of it where there is none. */
export function upTo(text: string, characters: string): string {
  const places = Array.from(characters, (character) => text.indexOf(character)).filter((place) => place >= 0)
  return places.length === 0 ? text : text.slice(0, Math.min(...places))
}
