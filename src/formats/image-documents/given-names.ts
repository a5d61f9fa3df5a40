import {UsageError} from '../../model/errors.js'
import {hidePassword} from '../../model/hidden-password.js'
import {requireTaggedName} from './image-name.js'

export interface NamingReference {
  /** The reference, and what it is without the name, for messages. */
  readonly given: string
  readonly bare: string
  /** Whether the reference names the image by this as well. */
  readonly isSame: (name: string) => boolean
}

/**
 * The names that are given beside a destination must be names. Where the destination itself names the image, they must
 * say the same: they would be dropped, and a name that was asked for would not be there. Throws `BAD_OPTION`,
 * `BAD_REFERENCE`.
 */
export function requireNames(names: readonly string[] | undefined, reference: NamingReference | undefined): void {
  for (const name of names ?? []) requireTaggedName(name)
  if (reference !== undefined) requireSame(names, reference)
}

/** The same, for names that need be none. Throws `BAD_OPTION`. */
export function requireSame(names: readonly string[] | undefined, {given, bare, isSame}: NamingReference): void {
  const other = names?.find((name) => !isSame(name))
  if (other === undefined) return
  throw new UsageError('BAD_OPTION', {
    what: `'${given}' already names the image, but --tag gives another name: ${hidePassword(other).slice(0, 300)}.`,
    suggestions: [
      'Leave out --tag.',
      `Leave the name out of the destination (${bare}) and pass every name with --tag.`,
      'Convert once for each name. An image registry or engine does not receive the same content twice.',
    ],
  })
}
