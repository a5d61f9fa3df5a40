import {isMap, isPair, isScalar, LineCounter, parseDocument, visit, type Document, type Node} from 'yaml'
import {UsageError, type ErrorDetails} from '../model/errors.js'

/** Keys and indices that lead to a value of the plan. */
export type PlanPath = readonly (string | number)[]

/** One fault of a plan: what is wrong, and where. */
export interface PlanFault {
  readonly path: PlanPath
  readonly what: string
  readonly why?: string
  readonly suggestions?: readonly string[]
}

/** A plan is written by hand or made from a listing; more than this is a mistake. */
const MAX_PLAN_CHARACTERS = 32 * 2 ** 20
/** Aliases of YAML (`*name`) in a plan. */
const MAX_ALIASES = 2000

/** The text of a plan, YAML or JSON (which is YAML), that knows the line and column of each of its values. */
export class PlanText {
  /** The path as given. */
  readonly name: string
  readonly #document: Document.Parsed
  readonly #lines: LineCounter

  private constructor(name: string, document: Document.Parsed, lines: LineCounter) {
    this.name = name
    this.#document = document
    this.#lines = lines
  }

  /** Throws `PLAN_INVALID` with line and column for what is not YAML. */
  static parse(text: string, name: string): PlanText {
    if (text.length > MAX_PLAN_CHARACTERS) {
      throw new UsageError('PLAN_INVALID', {
        what: `${name} is too large for a plan.`,
        why: `Expected at most ${MAX_PLAN_CHARACTERS} characters, found ${text.length}.`,
      })
    }
    const lines = new LineCounter()
    const document = parseDocument(text, {lineCounter: lines, prettyErrors: false, stringKeys: true})
    const [error] = document.errors
    if (error !== undefined) {
      const {line, col} = lines.linePos(error.pos[0])
      throw new UsageError('PLAN_INVALID', {
        what: `The plan is not valid YAML: ${error.message.replace(/\.?$/, '.')}`,
        suggestions: ['Check the indentation, the quotes and the brackets of that line.'],
        at: {path: `${name}:${line}:${col}`},
      })
    }
    return new PlanText(name, document, lines)
  }

  /** The plan as plain values. Throws `PLAN_INVALID` for aliases that would grow without end. */
  toJson(): unknown {
    this.#requireFewAliases()
    let json: unknown
    try {
      json = this.#document.toJS({maxAliasCount: 100})
    } catch (error) {
      throw this.error([{path: [], what: `The plan is not valid YAML: ${String(error)}.`}], error)
    }
    // An alias may also lead back to what it lies in.
    const deep = findTooDeep(json, {path: [], above: []})
    if (deep !== undefined) throw this.error([{path: deep, what: 'The plan is nested too deeply.'}])
    return json
  }

  /** Each alias is looked up among all anchors before it, so their number is bounded. */
  #requireFewAliases(): void {
    let count = 0
    let at: number | undefined
    visit(this.#document, {
      Alias: (_key, {range}) => {
        if (++count <= MAX_ALIASES) return undefined
        at = range?.[0] ?? 0
        return visit.BREAK
      },
    })
    if (at === undefined) return
    const {line, col} = this.#lines.linePos(at)
    throw new UsageError('PLAN_INVALID', {
      what: `The plan has more than ${MAX_ALIASES} aliases.`,
      suggestions: ['Put what the items share into the defaults.'],
      at: {path: `${this.name}:${line}:${col}`},
    })
  }

  /** `plan.yaml:LINE:COLUMN` of the key or value that the path leads to, or of what there is of it. */
  place(path: PlanPath): string {
    const offset = this.#offsetOf(path)
    const {line, col} = this.#lines.linePos(offset)
    return `${this.name}:${Math.max(1, line)}:${Math.max(1, col)}`
  }

  #offsetOf(path: PlanPath): number {
    for (let length = path.length; length > 0; length--) {
      const key = path[length - 1]
      const parent = this.#document.getIn(path.slice(0, length - 1), true)
      if (isMap(parent)) {
        const pair = parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key)
        const range = (pair?.key as Node | undefined)?.range
        if (range) return range[0]
      }
      const node = this.#document.getIn(path.slice(0, length), true) as Node | undefined
      if (node?.range) return node.range[0]
    }
    return this.#document.contents?.range[0] ?? 0
  }

  /** All faults as one error: the first in full, and where the others are. `PLAN_INVALID`. */
  error(faults: readonly [PlanFault, ...PlanFault[]], cause?: unknown): UsageError {
    const [first, ...others] = faults
    const more = others.slice(0, MOST_TOLD).map((fault) => `${this.place(fault.path)}: ${fault.what}`)
    const left = others.length - more.length
    const why = [
      ...(first.why === undefined ? [] : [first.why]),
      ...(more.length === 0 ? [] : [`Also wrong: ${more.join(' ')}`]),
      ...(left > 0 ? [`And ${left} more.`] : []),
    ]
    const details: ErrorDetails = {
      what: first.what,
      ...(why.length === 0 ? {} : {why: why.join(' ')}),
      suggestions: first.suggestions ?? [],
      at: {path: this.place(first.path)},
      ...(cause === undefined ? {} : {cause}),
    }
    return new UsageError('PLAN_INVALID', details)
  }

  /** Throws when there is any fault. */
  requireNone(faults: readonly PlanFault[]): void {
    const [first, ...others] = faults
    if (first !== undefined) throw this.error([first, ...others])
  }
}

/** Far more levels than a plan has. */
const MOST_LEVELS = 20

/** Where a value lies too deep, or in itself. */
function findTooDeep(
  value: unknown,
  {path, above}: {readonly path: PlanPath; readonly above: readonly unknown[]},
): PlanPath | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (path.length > MOST_LEVELS || above.includes(value)) return path
  for (const [key, each] of Object.entries(value)) {
    const inside = {path: [...path, Array.isArray(value) ? Number(key) : key], above: [...above, value]}
    const found = findTooDeep(each, inside)
    if (found !== undefined) return found
  }
  return undefined
}

/** Of many faults so many are told: the rest mostly follows from them. */
const MOST_TOLD = 10
