import {suggestNearest} from '../../model/did-you-mean.js'
import {printable} from '../../model/printable.js'
import {badTemplate, type Expression, type TemplateNode} from './parse-template.js'
import {requireField, type Shape} from './shape.js'

/** What fields of a row are read from. */
export interface Scope {
  readonly row: unknown
  /** What only a table says of a row, by names in lower case. */
  readonly columns: ReadonlyMap<string, () => string | undefined>
  /** Where else the fields of a value are looked for. */
  readonly elsewhere?: ReadonlyMap<unknown, unknown>
}

type Call = (args: readonly unknown[]) => unknown

const FUNCTIONS: Readonly<Record<string, {readonly arity: number; readonly call: Call}>> = {
  and: {arity: 2, call: (args) => args.find((arg) => !isTrue(arg)) ?? args.at(-1)},
  eq: {arity: 2, call: ([first, ...rest]) => rest.some((arg) => textOf(arg) === textOf(first))},
  index: {arity: 2, call: ([value, ...keys]) => keys.reduce((at, key) => memberOf(at, String(key)), value)},
  join: {
    arity: 2,
    call: (args) => {
      const list = args.find((arg) => Array.isArray(arg)) as readonly unknown[] | undefined
      return (list ?? []).map(textOf).join(args.find((arg) => typeof arg === 'string') ?? '')
    },
  },
  json: {arity: 1, call: ([value]) => JSON.stringify(value ?? null)},
  len: {arity: 1, call: ([value]) => sizeOf(value)},
  lower: {arity: 1, call: ([value]) => textOf(value).toLowerCase()},
  ne: {arity: 2, call: ([first, second]) => textOf(first) !== textOf(second)},
  not: {arity: 1, call: ([value]) => !isTrue(value)},
  or: {arity: 2, call: (args) => args.find(isTrue) ?? args.at(-1)},
  truncate: {
    arity: 2,
    call: (args) => {
      const most = args.find((arg) => typeof arg === 'number') ?? Infinity
      return Array.from(textOf(args.find((arg) => typeof arg !== 'number')))
        .slice(0, most)
        .join('')
    },
  },
  upper: {arity: 1, call: ([value]) => textOf(value).toUpperCase()},
}

/** Throws `BAD_OPTION` for fields and functions that there are not, whatever the rows are. */
export function checkTemplate(
  nodes: readonly TemplateNode[],
  row: Shape | undefined,
  columns: ReadonlyMap<string, string>,
): void {
  const shapeOf = (expression: Expression, dot: Shape | undefined): Shape | undefined => {
    if (expression.kind === 'literal') return {}
    if (expression.kind === 'path') {
      const start = expression.isFromRow ? row : dot
      const [first = ''] = expression.keys
      const isColumn = start === row && start?.fields?.has(first.toLowerCase()) !== true
      if (isColumn && columns.has(first.toLowerCase()))
        return expression.keys.length === 1 ? {} : requireField({}, expression.keys[1] ?? '', [])
      return expression.keys.reduce(
        (shape, key, index) => requireField(shape, key, index === 0 && start === row ? [...columns.values()] : []),
        start,
      )
    }
    const known = Object.hasOwn(FUNCTIONS, expression.name) ? FUNCTIONS[expression.name] : undefined
    if (known === undefined) {
      const names = Object.keys(FUNCTIONS)
      throw badTemplate(
        `'${expression.name}' is not a function. The functions are ${names.join(', ')}.`,
        suggestNearest(expression.name, names),
      )
    }
    if (expression.args.length < known.arity)
      throw badTemplate(`'${expression.name}' needs ${String(known.arity)} values.`)
    const [first] = expression.args.map((arg) => shapeOf(arg, dot))
    return expression.name === 'index' ? undefined : first && {}
  }
  const check = (children: readonly TemplateNode[], dot: Shape | undefined): void => {
    for (const node of children) {
      if (node.kind === 'text') continue
      const shape = shapeOf(node.value, dot)
      if (node.kind === 'value') continue
      check(node.body, node.kind === 'range' ? shape?.items : dot)
      check(node.otherwise, dot)
    }
  }
  check(nodes, row)
}

/** The text of a row. Values are made printable: names come from archives. */
export function renderTemplate(nodes: readonly TemplateNode[], scope: Scope): string {
  const valueOf = (expression: Expression, dot: unknown): unknown => {
    if (expression.kind === 'literal') return expression.value
    if (expression.kind === 'call')
      return FUNCTIONS[expression.name]?.call(expression.args.map((arg) => valueOf(arg, dot)))
    const start = expression.isFromRow ? scope.row : dot
    return expression.keys.reduce((at, key) => fieldOf(at, key, scope), start)
  }
  const render = (children: readonly TemplateNode[], dot: unknown): string =>
    children
      .map((node) => {
        if (node.kind === 'text') return node.text
        const value = valueOf(node.value, dot)
        if (node.kind === 'value') return printable(textOf(value))
        if (node.kind === 'if') return render(isTrue(value) ? node.body : node.otherwise, dot)
        const items = Array.isArray(value)
          ? (value as readonly unknown[])
          : Object.values(Object(value ?? {}) as object)
        return items.length === 0 ? render(node.otherwise, dot) : items.map((item) => render(node.body, item)).join('')
      })
      .join('')
  return render(nodes, scope.row)
}

function fieldOf(value: unknown, key: string, {row, columns, elsewhere}: Scope): unknown {
  const own = memberOf(value, key) ?? memberOf(elsewhere?.get(value), key)
  return own === undefined && value === row ? columns.get(key.toLowerCase())?.() : own
}

/** A field by its exact name, else in any case; an element by its number. */
function memberOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  const exact = Object.keys(value).find((name) => name === key)
  const found = exact ?? Object.keys(value).find((name) => name.toLowerCase() === key.toLowerCase())
  return found === undefined ? undefined : (value as Readonly<Record<string, unknown>>)[found]
}

function isTrue(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false && value !== '' && value !== 0 && sizeOf(value) !== 0
}

function sizeOf(value: unknown): number | undefined {
  if (typeof value === 'string') return value.length
  return typeof value === 'object' && value !== null ? Object.keys(value).length : undefined
}

/** Lists as a table shows them; objects as JSON; nothing for what is not known. */
function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (Array.isArray(value)) return value.map(textOf).join(', ')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
