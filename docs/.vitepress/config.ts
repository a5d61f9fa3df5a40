import {readdirSync, readFileSync} from 'node:fs'
import path from 'node:path'
import {defineConfig, type DefaultTheme} from 'vitepress'

/* The site over docs/: `npm run docs:build` writes it to docs/.vitepress/dist. It loads nothing from elsewhere. */

const DOCS = path.resolve(import.meta.dirname, '..')
const {repository} = JSON.parse(readFileSync(path.join(DOCS, '..', 'package.json'), 'utf8')) as {
  readonly repository: {readonly url: string}
}
const SOURCES = `${repository.url.replace(/^git\+/, '').replace(/\.git$/, '')}/blob/main/`

/** Pages in the order in which they are read; those of `docs/` that are not named come under Reference. */
const GUIDE = ['quick-start', 'docker-to-inbox', 'inbox-to-docker', 'registry-to-share', 'squash', 'batch-and-fleets']
const SITES = ['air-gapped', 'exactness', 'faq']
const USING = ['install', 'migrate', 'command-line', 'completion', 'containerd', 'errors', 'upgrading']
const TRUST = ['security', 'hostile', 'fuzzing', 'faults', 'compatibility', 'performance', 'dependencies']

function pagesIn(folder: string): readonly string[] {
  return readdirSync(path.join(DOCS, folder))
    .filter((name) => name.endsWith('.md') && name !== 'index.md')
    .map((name) => name.slice(0, -3))
    .sort()
}

function item(page: string): DefaultTheme.SidebarItem {
  const text = readFileSync(path.join(DOCS, `${page}.md`), 'utf8')
  const [, title = page] = /^# (.+)$/m.exec(text) ?? []
  return {text: title.replaceAll('`', ''), link: `/${page}`}
}

const present = (pages: readonly string[]) => {
  const known = new Set(pagesIn('.'))
  return pages.filter((page) => known.has(page)).map(item)
}
const named = new Set([...USING, ...TRUST])

export default defineConfig({
  title: 'transship',
  description: 'Converts Docker images to inbox packages of Windows containers and back, exactly.',
  lang: 'en',
  cleanUrls: false,
  lastUpdated: false,
  head: [['link', {rel: 'icon', href: 'data:,'}]],
  markdown: {
    codeTransformers: [
      {
        name: 'typed-lines',
        line(node) {
          const texts = node.children.flatMap((span) => ('children' in span ? span.children : []))
          const [first] = texts.flatMap((text) => ('value' in text ? [text.value] : []))
          if (this.options.lang === 'console' && first?.startsWith('$') === true) this.addClassToHast(node, 'typed')
        },
      },
    ],
    config(md) {
      // Pages are templates of Vue, in which braces are code: those of ours, such as {{.Name}}, are text.
      const {code_inline: code, text} = md.renderer.rules
      md.renderer.rules.code_inline = (tokens, index, ...rest) => {
        tokens[index]?.attrSet('v-pre', '')
        return code?.(tokens, index, ...rest) ?? ''
      }
      md.renderer.rules.text = (...all) => (text?.(...all) ?? '').replaceAll('{{', '&#123;&#123;')
      // Files of the project beside docs are read where the sources are.
      md.core.ruler.push('sources', ({tokens, env}: {tokens: unknown[]; env: {relativePath?: string}}) => {
        const folder = path.posix.dirname(env.relativePath ?? '')
        const walk = (list: readonly unknown[]) => {
          for (const token of list as {
            type: string
            attrGet(name: string): string | null
            attrSet(name: string, value: string): void
            children?: unknown[] | null
          }[]) {
            const href = token.type === 'link_open' ? token.attrGet('href') : null
            const target = href?.startsWith('.') === true ? path.posix.join(folder, href) : ''
            if (target.startsWith('../')) token.attrSet('href', SOURCES + target.slice(3))
            walk(token.children ?? [])
          }
        }
        walk(tokens)
      })
    },
  },
  vite: {build: {chunkSizeWarningLimit: 2000}},
  themeConfig: {
    search: {provider: 'local'},
    outline: {level: [2, 3]},
    nav: [
      {text: 'Quick start', link: '/guide/quick-start'},
      {text: 'Commands', link: '/cli/'},
      {text: 'Errors', link: '/errors'},
      {text: 'Questions', link: '/guide/faq'},
      // Made by TypeDoc beside the pages.
      {text: 'API', link: '/api/index.html', target: '_self'},
    ],
    sidebar: [
      {text: 'Guide', items: [...GUIDE, ...SITES].map((page) => item(`guide/${page}`))},
      {text: 'Using transship', items: present(USING)},
      {
        text: 'Commands',
        collapsed: true,
        items: [{text: 'Overview', link: '/cli/'}, ...pagesIn('cli').map((page) => item(`cli/${page}`))],
      },
      {text: 'Trust', items: present(TRUST)},
      {
        text: 'Reference',
        items: pagesIn('.')
          .filter((page) => !named.has(page))
          .map(item),
      },
    ],
    docFooter: {prev: 'Previous', next: 'Next'},
  },
})
