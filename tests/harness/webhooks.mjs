//! Deliveries as their senders sign them, over bytes of any kind.
import { createHmac } from 'node:crypto';
import { nowSeconds } from './token.mjs';

const mac = (key, head, body) => createHmac('sha256', key).update(head).update(body);

/** The fields of Stripe's delivery: one `v1` for each of its secrets. */
export function stripeFields(secrets, body, time = nowSeconds()) {
  const signatures = [secrets].flat().map((secret) => `,v1=${mac(secret, `${time}.`, body).digest('hex')}`);
  return {
    'content-type': 'application/json; charset=utf-8',
    'stripe-signature': `t=${time}${signatures.join('')}`,
  };
}

/** The fields of Standard Webhooks' delivery: one signature for each of its secrets (`whsec_…`). */
export function standardFields(secrets, id, body, time = nowSeconds()) {
  const keys = [secrets].flat().map((secret) => Buffer.from(secret.replace(/^whsec_/, ''), 'base64'));
  const signatures = keys.map((key) => `v1,${mac(key, `${id}.${time}.`, body).digest('base64')}`);
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(time),
    'webhook-signature': signatures.join(' '),
  };
}
