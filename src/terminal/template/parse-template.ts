import {UsageError} from '../../model/errors.js'

/** What stands between `{{` and `}}` and has a value. */
export type Expression =
  /** `.Name.Part`, or with `$` from the row, wherever it stands. */
  | {readonly kind: 'path'; readonly isFromRow: boolean; readonly keys: readonly string[]}
  | {readonly kind: 'literal'; readonly value: string | number}
  | {readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[]}

export type TemplateNode =
  | {readonly kind: 'text'; readonly text: string}
  | {readonly kind: 'value'; readonly value: Expression}
  | {
      readonly kind: 'if' | 'range'
      readonly value: Expression
      readonly body: readonly TemplateNode[]
      readonly otherwise: readonly TemplateNode[]
    }

/** An action; `}}` within quotes does not end it. A hyphen beside its braces takes the blanks away, as in Go. */
const ACTION =
  // eslint-disable-next-line regexp/no-super-linear-move -- A template is typed by who waits for it.
  /(?<before>\s*\{\{-\s|\{\{)(?<inner>(?:"(?:[^"\\]|\\.)*"|`[^`]*`|(?!\}\})[^"`])*?)(?<after>\s-\}\}\s*|\}\})/g
const TOKEN = /\s*(?:(\$?(?:\.[A-Za-z_][\w-]*)+|\$|\.)|("(?:[^"\\]|\\.)*"|`[^`]*`)|(-?\d+)|([A-Za-z]\w*)|([()|]))/y

/** Two characters in a shell's quotes that stand for a tab and a line break, as docker takes them. */
const ESCAPES: Readonly<Record<string, string>> = {'\\t': '\t', '\\n': '\n'}

/**
 * Parses the part of Go's templates that `docker … --format` is used with: fields, `range`, `if`, `else`, functions, pipes.
 * Throws `BAD_OPTION`.
 */
export function parseTemplate(template: string): readonly TemplateNode[] {
  const root: TemplateNode[] = []
  const open: {kind: 'if' | 'range'; value: Expression; body: TemplateNode[]; otherwise?: TemplateNode[]}[] = []
  const push = (node: TemplateNode) => {
    const block = open.at(-1)
    ;(block?.otherwise ?? block?.body ?? root).push(node)
  }
  const pushText = (text: string) => {
    if (text.includes('{{')) throw badTemplate("'{{' has no '}}'.")
    if (text !== '') push({kind: 'text', text: text.replaceAll(/\\[tn]/g, (escape) => ESCAPES[escape] ?? escape)})
  }
  let end = 0
  for (const match of template.matchAll(ACTION)) {
    pushText(template.slice(end, match.index))
    end = match.index + match[0].length
    const inner = (match.groups?.['inner'] ?? '').trim()
    const [, word = '', behind = ''] = /^(if|range|else|end)\b([^]*)$/.exec(inner) ?? []
    const rest = behind.trimStart()
    if (word === 'if' || word === 'range') open.push({kind: word, value: parseExpression(rest), body: []})
    else if (word === '') push({kind: 'value', value: parseExpression(inner)})
    else {
      const block = open.at(-1)
      if (rest !== '') throw badTemplate(`'${rest}' cannot follow '${word}'.`)
      if (block === undefined) throw badTemplate(`'{{${word}}}' has no 'if' or 'range'.`)
      if (word === 'else') block.otherwise = []
      else {
        open.pop()
        push({otherwise: [], ...block})
      }
    }
  }
  pushText(template.slice(end))
  if (open[0] !== undefined) throw badTemplate(`'{{${open[0].kind} …}}' has no '{{end}}'.`)
  return root
}

/** What is wrong with the text of `--format`. */
export function badTemplate(why: string, suggestions: readonly string[] = []): UsageError {
  return new UsageError('BAD_OPTION', {
    what: `--format: ${why}`,
    suggestions:
      suggestions.length > 0 ? suggestions : ["Write fields like '{{.Name}}', or '{{json .}}' for all of them."],
  })
}

type Token = {readonly kind: 'path' | 'text' | 'number' | 'word' | 'sign'; readonly text: string}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const at = TOKEN.lastIndex
    const found = TOKEN.exec(text)
    if (found === null) throw badTemplate(`'${text.slice(at).trim()}' is not understood in '{{${text}}}'.`)
    const kinds = ['path', 'text', 'number', 'word', 'sign'] as const
    const index = kinds.findIndex((_, at) => typeof found[at + 1] === 'string')
    tokens.push({kind: kinds[index] ?? 'sign', text: found[index + 1] ?? ''})
  }
  return tokens
}

/** A call, a value, or several of them in a pipe: each gets the one before as its last argument. */
function parseExpression(text: string): Expression {
  const tokens = tokensOf(text)
  const result = parsePipe(tokens, text)
  const [next] = tokens
  if (next !== undefined) throw badTemplate(`'${next.text}' is one too many in '{{${text}}}'.`)
  return result
}

function parsePipe(tokens: Token[], text: string): Expression {
  let value = parseCall(tokens, text)
  while (isSign(tokens, '|')) {
    tokens.shift()
    const next = parseCall(tokens, text)
    if (next.kind !== 'call') throw badTemplate(`A function must follow '|' in '{{${text}}}'.`)
    value = {...next, args: [...next.args, value]}
  }
  return value
}

function parseCall(tokens: Token[], text: string): Expression {
  const [first] = tokens
  if (first?.kind !== 'word') return parseTerm(tokens, text)
  tokens.shift()
  const args: Expression[] = []
  while (tokens.length > 0 && !isSign(tokens, ')') && !isSign(tokens, '|')) args.push(parseTerm(tokens, text))
  return {kind: 'call', name: first.text, args}
}

function isSign([next]: readonly Token[], sign: string): boolean {
  return next?.kind === 'sign' && next.text === sign
}

function parseTerm(tokens: Token[], text: string): Expression {
  const token = tokens.shift()
  if (token === undefined) throw badTemplate(`'{{${text}}}' lacks a value.`)
  switch (token.kind) {
    case 'path': {
      const keys = token.text.replace(/^\$/, '').split('.')
      return {kind: 'path', isFromRow: token.text.startsWith('$'), keys: keys.filter((key) => key !== '')}
    }
    case 'text':
      return {kind: 'literal', value: unquoted(token.text)}
    case 'number':
      return {kind: 'literal', value: Number(token.text)}
    case 'word':
      return {kind: 'call', name: token.text, args: []}
    case 'sign': {
      if (token.text !== '(') throw badTemplate(`'${token.text}' is not expected in '{{${text}}}'.`)
      const value = parsePipe(tokens, text)
      if (tokens.shift()?.text !== ')') throw badTemplate(`'(' has no ')' in '{{${text}}}'.`)
      return value
    }
  }
}

function unquoted(text: string): string {
  const inner = text.slice(1, -1)
  if (text.startsWith('`')) return inner
  return inner.replaceAll(/\\(.)/gs, (escape, character: string) => ESCAPES[escape] ?? character)
}
