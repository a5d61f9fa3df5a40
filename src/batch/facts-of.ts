import type {ListRow} from '../convert/list.js'
import type {ArtifactFacts} from './batch-report.js'

/** A row of `list` as a report tells it. */
export function factsOf({createdTime: _, payloadDigest: __, platform, kind, ...row}: ListRow): ArtifactFacts {
  const version = platform?.osVersion === undefined ? '' : ` ${platform.osVersion}`
  return {
    ...row,
    // The images of a registry are listed, never its repositories.
    kind: kind === 'repository' ? 'image' : kind,
    ...(platform === undefined ? {} : {platform: `${platform.os}/${platform.architecture}${version}`}),
  }
}
