import {UnsupportedError, UsageError} from '../../model/errors.js'
import type {Platform} from '../../model/image.js'
import type {StatedPlatform} from './image-documents.js'
import {withoutEnd} from '../../model/text-ends.js'

/** A platform as the user asks for it. */
export interface WantedPlatform {
  readonly os: string
  /** The leading parts of a version, e.g. `10.0.20348`. */
  readonly osVersion?: string
  readonly architecture?: string
  readonly variant?: string
}

/** `os[(os.version)]/architecture[/variant]`, as containerd spells it; `os/architecture:os.version` is read as well. */
const PLATFORM = /^([a-z0-9]+)(?:\(([0-9.]+)\))?(?:\/([a-z0-9_]+)(?:\/(v?[a-z0-9.]+))?)?(?::([0-9.]+))?$/

/** Throws `BAD_OPTION`. */
export function parsePlatform(text: string): WantedPlatform {
  const match = PLATFORM.exec(text)
  const [, os, inParentheses, architecture, variant, behind] = match ?? []
  if (os === undefined) {
    throw new UsageError('BAD_OPTION', {
      what: `'${text.slice(0, 100)}' is not a valid platform.`,
      why: 'Expected OS[(OS.VERSION)]/ARCHITECTURE[/VARIANT].',
      suggestions: ['windows/amd64', 'windows(10.0.20348)/amd64', 'linux/arm64/v8'],
    })
  }
  const osVersion = inParentheses ?? behind
  return {
    os,
    ...(osVersion === undefined ? {} : {osVersion}),
    ...(architecture === undefined ? {} : {architecture}),
    ...(variant === undefined ? {} : {variant}),
  }
}

/** True when nothing that is known speaks against it; `isComplete` = what is not stated does not fit either. */
export function fitsPlatform(
  {os, architecture, variant, 'os.version': osVersion}: StatedPlatform,
  wanted: WantedPlatform,
  isComplete: boolean,
): boolean {
  const fits = (stated: string | undefined, asked: string | undefined) =>
    asked === undefined || (stated === undefined || stated === '' ? !isComplete : stated === asked)
  return (
    fits(os, wanted.os) &&
    fits(architecture, wanted.architecture) &&
    // Only some images of an architecture state a variant, and arm64 is v8 without saying so.
    (variant === undefined || variant === '' || fits(variant, wanted.variant)) &&
    (wanted.osVersion === undefined ||
      (osVersion === undefined || osVersion === ''
        ? !isComplete
        : `${osVersion}.`.startsWith(`${withoutEnd(wanted.osVersion, '.')}.`)))
  )
}

/** The same for a platform of the model. */
export function isWantedPlatform(platform: Platform, wanted: WantedPlatform): boolean {
  return fitsPlatform(statedPlatform(platform), wanted, true)
}

/** For a place that offers nothing to choose from. Throws `PLATFORM_UNSUPPORTED`, `BAD_OPTION`. */
export function requirePlatform(
  platform: StatedPlatform,
  {reference, wanted}: {readonly reference: string; readonly wanted: string | undefined},
): void {
  if (wanted === undefined || fitsPlatform(platform, parsePlatform(wanted), false)) return
  throw platformUnsupported(wanted, {reference, offered: [{platform}]})
}

/** What is there in place of the platform that was asked for. */
export interface OfferedPlatform {
  /** Selects it, where something does. */
  readonly reference?: string
  readonly platform?: StatedPlatform | undefined
}

/** Most that are listed of those that are there. */
const MAX_OFFERED = 20

/** The error where nothing is for the platform that was asked for: `PLATFORM_UNSUPPORTED`, with those that are there. */
export function platformUnsupported(
  wanted: string,
  {reference, offered}: {readonly reference: string; readonly offered: readonly OfferedPlatform[]},
): UnsupportedError {
  const shown = offered.slice(0, MAX_OFFERED).map(({platform = {}, reference: own}) => {
    const text = formatStated(platform)
    return own === undefined ? `--platform '${text}'` : `${own} (${text})`
  })
  return new UnsupportedError('PLATFORM_UNSUPPORTED', {
    what: `'${reference}' has no image for the platform ${wanted}.`,
    why: `Available: ${listPlatforms(offered, MAX_OFFERED)}.`,
    suggestions: shown,
    at: {reference},
  })
}

/** Each platform once, sorted; so many of them at most. */
export function listPlatforms(offered: readonly OfferedPlatform[], most: number): string {
  const platforms = [...new Set(offered.map(({platform = {}}) => formatStated(platform)))].sort()
  return `${platforms.slice(0, most).join(', ')}${platforms.length > most ? ', …' : ''}`
}

/** As documents state it, spelt as `--platform` takes it. */
export function formatStated({os, architecture, variant, 'os.version': osVersion}: StatedPlatform): string {
  const known = (text: string | undefined) => (text === undefined || text === '' ? undefined : text)
  const version = known(osVersion)
  const arch = known(architecture) ?? 'unknown'
  const tail = known(variant) === undefined ? '' : `/${variant ?? ''}`
  return `${known(os) ?? 'unknown'}${version === undefined ? '' : `(${version})`}/${arch}${tail}`
}

/** A platform of the model as documents state it. */
export function statedPlatform({os, architecture, osVersion}: Platform): StatedPlatform {
  return {os, architecture, ...(osVersion === undefined ? {} : {'os.version': osVersion})}
}

/** As `--platform` takes it. */
export function formatPlatform({os, architecture, osVersion}: Platform): string {
  return `${os}${osVersion === undefined ? '' : `(${osVersion})`}/${architecture}`
}
