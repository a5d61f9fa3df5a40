import type {Descriptor, Platform} from '../../model/image.js'

/** A name that an image has in an index. */
export interface IndexName {
  /** `org.opencontainers.image.ref.name`, what skopeo, umoci and podman select by. */
  readonly ref: string
  /** `HOST/PATH:TAG`, what containerd and Docker go by. */
  readonly full?: string | undefined
}

/** The descriptors that an index has of a manifest or another index, which is for no platform: one for each name. */
export function indexEntries(
  manifest: Descriptor,
  platform: Platform | undefined,
  names: readonly IndexName[],
): readonly Readonly<Record<string, unknown>>[] {
  const stated = platform === undefined ? {} : {platform: statedPlatform(platform)}
  if (names.length === 0) return [{...manifest, ...stated}]
  return names.map(({ref, full}) => ({
    ...manifest,
    annotations: {
      ...(full === undefined ? {} : {'io.containerd.image.name': full}),
      'org.opencontainers.image.ref.name': ref,
    },
    ...stated,
  }))
}

/** Without os.version containerd drops Windows images of other builds. Source: containerd issue 5690. */
function statedPlatform({os, architecture, osVersion, osFeatures}: Platform): object {
  return {
    architecture,
    os,
    ...(osVersion === undefined ? {} : {'os.version': osVersion}),
    ...(osFeatures === undefined || osFeatures.length === 0 ? {} : {'os.features': osFeatures}),
  }
}
