import cliTruncate from 'cli-truncate'
import stringWidth from 'string-width'

/**
 * A printable text cut to at most `width` columns, with an ellipsis in its place. cli-truncate by itself keeps a wide
 * character that begins in the last column, which makes one column too many.
 */
export function cutText(text: string, width: number, position: 'end' | 'middle'): string {
  for (let room = width; room > 0; room--) {
    const cut = cliTruncate(text, room, {position})
    if (stringWidth(cut) <= width) return cut
  }
  return ''
}
