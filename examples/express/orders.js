import { randomUUID } from 'node:crypto'

import express, { Router } from 'express'

import { invalid, problem } from './problem.js'

const MAX_ORDERS = 100_000

/** Orders in memory, each of one owner: nobody learns that another's exists. */
export class Orders {
  #orders = new Map()

  get size() {
    return this.#orders.size
  }

  all() {
    return [...this.#orders.values()]
  }

  routes() {
    const router = Router()
    router.get('/', (req, res) => res.json({ items: this.all().filter(({ owner }) => owner === ownerOf(req)) }))
    router.post('/', body, (req, res) => {
      if (this.size >= MAX_ORDERS) return problem(res.set('Retry-After', '60'), 503, 'overloaded', 'There is no room for more orders.')
      const order = { id: randomUUID(), owner: ownerOf(req), ...req.order }
      this.#orders.set(order.id, order)
      return res.status(201).location(`/orders/${order.id}`).json(order)
    })
    router.use('/:id', (req, res, next) => {
      const order = this.#orders.get(req.params.id)
      if (order?.owner !== ownerOf(req)) return problem(res, 404, 'not_found', 'There is no such order.')
      req.found = order
      return next()
    })
    router.get('/:id', (req, res) => res.json(req.found))
    router.put('/:id', body, (req, res) => res.json(Object.assign(req.found, req.order)))
    router.delete('/:id', (req, res) => {
      this.#orders.delete(req.found.id)
      res.status(204).end()
    })
    return router
  }
}

function ownerOf(req) {
  return req.auth.claims.sub
}

/** Reads `{item, quantity}` into `req.order`. */
const body = [
  express.json({ limit: '16kb' }),
  (req, res, next) => {
    const { item, quantity } = req.body ?? {}
    const errors = []
    if (typeof item !== 'string' || item.trim() === '' || item.length > 200) errors.push(invalid('/item', 'a text of 1 to 200 characters'))
    if (!Number.isInteger(quantity) || quantity < 1 || quantity > 1_000_000) errors.push(invalid('/quantity', 'a whole number from 1 to 1,000,000'))
    if (errors.length > 0) return problem(res, 422, 'validation_failed', 'The order is not valid.', { errors })
    req.order = { item, quantity }
    return next()
  },
]
