import type {ErrorCode} from '../../model/errors.js'
import type {Warning} from '../../model/fault-sink.js'

/** The names of the members of a tar, as `Archive` gives them. */
export interface MemberNames {
  /** Names that occur more than once. */
  readonly repeated: readonly string[]
  names(): Iterable<string>
}

/** What `verify` tells of them, whatever the tar holds: another reader may take another member, or write elsewhere. */
export function* nameFaults(members: MemberNames): Generator<{code: ErrorCode; message: string; name: string}> {
  for (const name of members.repeated)
    yield {code: 'DUPLICATE_ENTRY', message: `The archive contains '${name}' more than once.`, name}
  for (const name of members.names()) {
    const isOutside = name.startsWith('/') || name.split('/').includes('..') || /^[A-Za-z]:\//.test(name)
    if (isOutside) yield {code: 'NAME_UNSAFE', message: `The name '${name}' leads out of the archive.`, name}
  }
}

/** The same for who reads it all the same. */
export function repeatedMembers({repeated}: MemberNames): readonly Warning[] {
  return repeated.map((name) => ({
    code: 'repeated-member',
    message: `The archive contains '${name}' more than once. transship used the last one, like tar.`,
  }))
}
