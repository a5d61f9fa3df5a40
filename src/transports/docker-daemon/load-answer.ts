import type {UploadAnswer} from '../../engine-api/engine-upload.js'
import {EnvironmentError} from '../../model/errors.js'
import type {Engine} from './engine.js'
import {isLoadLine} from './schema.js'

/**
 * Throws `ENGINE_REFUSED`, or `NO_SPACE`, where an engine's answer to a load tells of a failure. Its status is a success
 * as soon as its first line is out, so an error may follow in a later one. Source: moby api/server/router/image.
 */
export function requireLoaded({status, text}: UploadAnswer, engine: Engine): void {
  const failure = findFailure(text) ?? (status >= 300 ? `It answered ${status}.` : undefined)
  if (failure === undefined) return
  const details = {
    what: `${engine.name} did not accept the image.`,
    why: failure.slice(0, 1000),
    suggestions: ["Check the engine's log for more.", 'Write the image to a docker-archive: and try to load that.'],
    at: {reference: engine.endpoint},
  }
  throw /no space left|not enough space/i.test(failure)
    ? new EnvironmentError('NO_SPACE', {...details, suggestions: ["Free some space on the engine's disk."]})
    : new EnvironmentError('ENGINE_REFUSED', details)
}

/** What an answer says went wrong: `errorDetail` and `error` of a line, `message` of a whole. */
function findFailure(text: string): string | undefined {
  for (const line of text.split(/\r?\n/)) {
    let json: unknown
    try {
      json = JSON.parse(line)
    } catch {
      // Words between the lines are no error: Podman's old answers have some.
      continue
    }
    if (!isLoadLine(json)) continue
    const found = [json.errorDetail?.message, json.error, json.message].find(
      (part) => part !== undefined && part !== '',
    )
    if (found !== undefined) return found
  }
  return undefined
}
