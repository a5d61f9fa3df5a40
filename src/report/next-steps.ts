/** What a reader can do about a finding, by its code. Codes without a line get that of their kind. */
const STEPS: Readonly<Record<string, string>> = {
  squashed: 'To keep the layers apart, convert with --layers chain.',
  'no-recipe': 'Leave out --no-keep-recipe to get the same bytes back.',
  'recipe-stale': 'If the edit was meant, nothing. If not, restore the files that the message names.',
  'pin-stale': 'If the edit was meant, nothing. Tags pinned by the old digest need the new one.',
  'pins-dropped': 'Convert with --pins keep or --pins reproduce.',
  'payload-changed': 'If the edit was meant, nothing. Else copy the package again from where it came.',
  'layer-changed': 'If the edit was meant, nothing. If not, restore the files that the message names.',
  'layer-not-rebuilt': 'Run transship verify on the package.',
  'manifest-not-kept': 'Nothing, unless something is pinned by its digest.',
  'config-not-kept': 'Convert the image into a repository of its own.',
  'package-not-labelled': 'Copy the package itself, with an inbox: or appx: destination.',
  'metadata-not-written': 'Replace the package that is there (--replace), or give the new one another name.',
  'docker-manifest-kept': 'Nothing. The manifest is kept with the package.',
  'manifest-changed': 'Tags pinned by the old digest need the new one.',
  'config-changed': 'Compare the configurations with transship diff --only metadata.',
  'image-id': 'Compare the images with transship diff.',
  'compression-not-kept': 'Nothing, unless something is pinned by the digest of the image.',
  'index-left-out': 'Leave out options that change the images, or accept the new digest.',
  'index-not-kept': 'Convert with --companions documents or all.',
  'index-not-restored': 'Convert the source again with --companions all.',
  'companion-not-held': 'Convert the source again with --companions all.',
  'referrers-left': 'Convert with --referrers copy.',
  'referrer-not-held': 'Copy signatures and bills of materials by themselves, or use a destination that holds them.',
  'referrers-unknown': 'Check by hand whether signatures hang on the image.',
  'name-left-out': 'Give the image a name with --tag.',
  'tag-left-out': 'Convert that tag by itself.',
  'tags-left-out': 'Convert those tags by themselves.',
  'identity-changed': 'Use the new name, or set --publisher, --name and --package-version.',
  'identity-taken': 'Nothing. Both packages work side by side.',
  'os-name-guessed': 'Set --os-name if the name is wrong.',
  'os-version-unknown': 'Set --os-version.',
  'os-evidence-contradicts': 'Check the base image. --os-name and --os-version decide.',
  'os-hive-unusable': 'Check the base image with transship verify.',
  'base-left-out': 'Hosts need the base from elsewhere. Leave out --without-base to include it.',
  'base-supplied': 'Nothing. The base came from --base.',
  'base-not-held': 'Pass --base with a place that holds the base.',
  'base-hives-missing': 'Check that the base is a whole base image.',
  'layer-not-held': 'Pass --base with a place that holds the layer.',
  'metadata-not-kept': 'Use --layers chain, or keep the packages beside the image.',
  'times-not-kept': 'Use a destination whose file system keeps times to 100 ns.',
  'carrier-form': 'Nothing. Windows reads both forms alike.',
  'signature-not-checked': 'Check the signature with the tool that made it.',
  'label-malformed': 'Nothing, if the image is not meant to become its old packages again.',
  'archive-contradictory': 'Save the image again with a single tool.',
  'not-payload': 'Nothing. The files are no part of the payload.',
  'kept-as-companion': 'Nothing. It comes back with the image.',
  'left-over-kept': 'Remove it with transship doctor --clean FOLDER.',
  'write-in-progress': 'Wait for the other writer, then run the command again.',
}

const BY_KIND = {
  Loss: 'If it matters, choose a destination that can hold it. --strict refuses losses.',
  'Not exact': 'Nothing, if the same content is enough. Else keep the source.',
  Note: 'Nothing, if this is as you expect.',
} as const

/** The next step for a loss, a reason why the result is not exact, or a note. */
export function nextStep(kind: keyof typeof BY_KIND, code: string): string {
  return Object.hasOwn(STEPS, code) ? (STEPS[code] ?? BY_KIND[kind]) : BY_KIND[kind]
}

/** For a test that each is the code of a finding. */
export const EXPLAINED_FINDINGS: readonly string[] = Object.keys(STEPS)
