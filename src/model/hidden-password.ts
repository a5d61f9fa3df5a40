/** What may stand behind the last `@` of a name without a password: a digest. */
const DIGEST = String.raw`(?!sha(?:256|384|512):|[a-z][a-z0-9+._-]*:[0-9a-fA-F]{32})`
/** No user has a bracket, as addresses of IPv6 and our own grammars have, nor is called as these call a host. */
const NOT_OURS = String.raw`(?!(?:HOST|USER|docker-daemon:NAME)\b)`
const IN_TEXT = new RegExp(String.raw`(//${NOT_OURS}[^\s/:@'"[\]]*):[^\s'"]+@${DIGEST}`, 'g')
const IN_REFERENCE = new RegExp(
  String.raw`^((?:(?:docker(?:-daemon)?|containerd):)?(?://)?${NOT_OURS}[^\s/\\:@[\]]*):(?![/\\]).*@${DIGEST}`,
  's',
)

/** A text in which references and addresses may stand, with their passwords as `***`: `//user:***@host`. */
export function hidePasswords(text: string): string {
  return text.replace(IN_TEXT, '$1:***@')
}

/**
 * The same of a text that should have been the name of an image and is none: `user:***@host/app`. The password may have
 * any character, and the slashes may be missing. Names of files are not to be given: theirs may look like it.
 */
export function hidePassword(reference: string): string {
  return hidePasswords(reference.replace(IN_REFERENCE, '$1:***@'))
}
