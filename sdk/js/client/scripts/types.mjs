// Writes src/api.ts: the bodies of the API that the client sends and reads, from the server's OpenAPI document.
import { readFile, writeFile } from 'node:fs/promises'

const DOCUMENT = new URL('../../../../docs/openapi.json', import.meta.url)
const TARGET = new URL('../src/api.ts', import.meta.url)
/** What each is called here. */
const NAMES = {
  LoginBody: 'LoginBody',
  SignedInBody: 'SignedInBody',
  RefreshBody: 'RefreshBody',
  RefreshedBody: 'RefreshedBody',
  RegisterBody: 'RegisterBody',
  Registered: 'Registered',
  UserBody: 'User',
  Problem: 'Problem',
  FieldProblem: 'FieldProblem',
  TokensBody: 'TokensBody',
  UserinfoBody: 'Userinfo',
}

/** The text of src/api.ts. */
export async function typesText() {
  const { components } = JSON.parse(await readFile(DOCUMENT, 'utf8'))
  const parts = Object.entries(NAMES).map(([schema, name]) => declared(name, components.schemas[schema]))
  return `// Made from docs/openapi.json by scripts/types.mjs: \`npm run types\`. Not to be edited.\n\n${parts.join('\n')}`
}

function declared(name, schema) {
  if (!schema) throw new Error(`docs/openapi.json has no schema for ${name}`)
  const members = Object.entries(schema.properties).map(([key, property]) => {
    const optional = schema.required?.includes(key) ? '' : '?'
    return `${comment(property, '  ')}  ${key}${optional}: ${typeOf(property)}${optional && ' | undefined'}\n`
  })
  return `${comment(schema, '')}export interface ${name} {\n${members.join('')}}\n`
}

function comment({ description }, indent) {
  return description ? `${indent}/** ${description.replaceAll('\n', `\n${indent} * `)} */\n` : ''
}

function typeOf(schema) {
  if (schema.$ref) return NAMES[schema.$ref.split('/').at(-1)] ?? fail(schema)
  const types = [schema.type].flat().map((type) => {
    if (type === 'array') return `${typeOf(schema.items)}[]`
    if (type === 'integer') return 'number'
    return ['string', 'boolean', 'number', 'null'].includes(type) ? type : fail(schema)
  })
  return types.join(' | ')
}

function fail(schema) {
  throw new Error(`no type for ${JSON.stringify(schema)}`)
}

if (process.argv[1] === import.meta.filename) await writeFile(TARGET, await typesText())
