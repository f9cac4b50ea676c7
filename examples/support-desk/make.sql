-- make.sql - the demo's support-desk database, the same to the byte on every machine.
--
--   sqlite3 support-desk.db < make.sql
--
-- Five thousand customers with contracts, line items, invoices, refunds, people, signatories,
-- attachments, documents and history.  Nothing is random: every value comes from the row's number by
-- arithmetic, so that the demo and its tests can name rows.  Some rows are messy on purpose: customers
-- that share a name, void contracts that still have lines, credits, missing phones, a signatory who
-- left the company, names outside ASCII.  Two contracts at the end have stories.
--
-- A line's and a contract's money is decimal text; that of invoices and refunds is integer cents.
PRAGMA foreign_keys = ON;
BEGIN;

CREATE TABLE customers (
  id TEXT PRIMARY KEY NOT NULL CHECK (id GLOB 'cus_*'),
  number INTEGER NOT NULL UNIQUE,
  name TEXT NOT NULL, legal_name TEXT NOT NULL, email TEXT UNIQUE, phone TEXT, website TEXT,
  status TEXT NOT NULL CHECK (status IN ('active', 'inactive', 'churned')),
  plan TEXT NOT NULL, region TEXT NOT NULL, country TEXT NOT NULL, city TEXT NOT NULL,
  street TEXT NOT NULL, postal_code TEXT NOT NULL, timezone TEXT NOT NULL, language TEXT NOT NULL,
  industry TEXT NOT NULL, employees INTEGER NOT NULL, founded_year INTEGER,
  signup_date TEXT NOT NULL, churn_date TEXT, has_active_subscription INTEGER NOT NULL,
  churn_risk_band TEXT NOT NULL, health_score INTEGER NOT NULL, nps_score INTEGER,
  revenue_total TEXT NOT NULL, revenue_last_year TEXT NOT NULL, currency TEXT NOT NULL,
  balance TEXT NOT NULL, credit_limit TEXT NOT NULL, payment_terms_days INTEGER NOT NULL,
  payment_method TEXT NOT NULL, card_last4 TEXT, iban TEXT, bank_name TEXT,
  tax_id TEXT, vat_rate TEXT NOT NULL, tax_exempt INTEGER NOT NULL,
  billing_name TEXT NOT NULL, billing_email TEXT, billing_street TEXT NOT NULL,
  billing_city TEXT NOT NULL, billing_postal_code TEXT NOT NULL, billing_country TEXT NOT NULL,
  shipping_street TEXT, shipping_city TEXT, shipping_postal_code TEXT, shipping_country TEXT,
  account_manager TEXT NOT NULL, support_tier TEXT NOT NULL, support_pin TEXT NOT NULL,
  sla_hours INTEGER NOT NULL, open_tickets INTEGER NOT NULL, tickets_last_year INTEGER NOT NULL,
  last_ticket_at TEXT, last_login_at TEXT, last_invoice_at TEXT, last_payment_at TEXT,
  invoices_overdue INTEGER NOT NULL, dunning_level INTEGER NOT NULL, collections_flag INTEGER NOT NULL,
  fraud_score INTEGER NOT NULL, kyc_status TEXT NOT NULL, kyc_checked_at TEXT,
  date_of_birth_of_owner TEXT, owner_name TEXT NOT NULL, owner_private_email TEXT,
  owner_private_phone TEXT, passport_number TEXT, marketing_consent INTEGER NOT NULL,
  newsletter INTEGER NOT NULL, sms_consent INTEGER NOT NULL, gdpr_requested_at TEXT,
  deletion_requested_at TEXT, referral_source TEXT, campaign TEXT, partner_code TEXT,
  crm_id TEXT NOT NULL, erp_id TEXT NOT NULL, data_warehouse_id TEXT NOT NULL, sso_domain TEXT,
  api_quota INTEGER NOT NULL, seats_bought INTEGER NOT NULL, seats_used INTEGER NOT NULL,
  storage_gb INTEGER NOT NULL, feature_flags TEXT NOT NULL, beta_program INTEGER NOT NULL,
  internal_notes TEXT, merged_into TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);

CREATE TABLE people (
  id TEXT PRIMARY KEY NOT NULL, customer_id TEXT NOT NULL REFERENCES customers (id),
  name TEXT NOT NULL, role TEXT NOT NULL, email TEXT, phone TEXT, left_on TEXT
);

CREATE TABLE contracts (
  id TEXT PRIMARY KEY NOT NULL, customer_id TEXT NOT NULL REFERENCES customers (id),
  title TEXT NOT NULL, status TEXT NOT NULL CHECK (status IN ('draft', 'active', 'expired', 'void')),
  starts_on TEXT NOT NULL, ends_on TEXT NOT NULL, signed_on TEXT,
  total TEXT NOT NULL, currency TEXT NOT NULL, renews INTEGER NOT NULL, updated_at TEXT NOT NULL,
  UNIQUE (id, customer_id)
);

CREATE TABLE signatories (
  contract_id TEXT NOT NULL REFERENCES contracts (id), person_id TEXT NOT NULL REFERENCES people (id),
  capacity TEXT NOT NULL, signed_at TEXT, PRIMARY KEY (contract_id, person_id)
);

CREATE TABLE line_items (
  id TEXT PRIMARY KEY NOT NULL, contract_id TEXT NOT NULL REFERENCES contracts (id),
  position INTEGER NOT NULL, sku TEXT NOT NULL, description TEXT NOT NULL, quantity INTEGER NOT NULL,
  unit_price TEXT NOT NULL, amount TEXT NOT NULL, voided INTEGER NOT NULL,
  replaces TEXT REFERENCES line_items (id)
);

CREATE TABLE attachments (
  id TEXT PRIMARY KEY NOT NULL, contract_id TEXT NOT NULL REFERENCES contracts (id),
  file_name TEXT NOT NULL, media_type TEXT NOT NULL, size_bytes INTEGER NOT NULL, added_at TEXT NOT NULL
);

-- An invoice is of a contract, and so of the contract's customer: it follows when that is corrected.
-- amount_cents is what it says, open_cents what is still owed: 0 once it is paid or void.
CREATE TABLE invoices (
  id TEXT PRIMARY KEY NOT NULL CHECK (id GLOB 'inv_*'), customer_id TEXT NOT NULL,
  contract_id TEXT NOT NULL, status TEXT NOT NULL CHECK (status IN ('open', 'paid', 'void')),
  issued_on TEXT NOT NULL, due_on TEXT NOT NULL, paid_on TEXT, currency TEXT NOT NULL,
  amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
  open_cents INTEGER NOT NULL CHECK (open_cents BETWEEN 0 AND amount_cents),
  replaces TEXT REFERENCES invoices (id), updated_at TEXT NOT NULL,
  FOREIGN KEY (contract_id, customer_id) REFERENCES contracts (id, customer_id) ON UPDATE CASCADE
);

CREATE TABLE refunds (
  id INTEGER PRIMARY KEY, customer_id TEXT NOT NULL REFERENCES customers (id),
  amount_cents INTEGER NOT NULL CHECK (amount_cents BETWEEN 1 AND 1000000), currency TEXT NOT NULL,
  reason TEXT NOT NULL CHECK (reason IN ('duplicate', 'fraud', 'requested', 'error')),
  asked_by TEXT NOT NULL, created_at TEXT NOT NULL
);

-- What leaves the house: another program sends it and fills sent_at.
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY, topic TEXT NOT NULL CHECK (topic IN ('payout', 'invoice_reminder')),
  customer_id TEXT NOT NULL REFERENCES customers (id), refund_id INTEGER REFERENCES refunds (id),
  invoices INTEGER, amount_cents INTEGER NOT NULL, currency TEXT NOT NULL, batch TEXT,
  created_at TEXT NOT NULL, sent_at TEXT
);

CREATE TABLE customer_events (
  id INTEGER PRIMARY KEY, customer_id TEXT NOT NULL REFERENCES customers (id),
  contract_id TEXT REFERENCES contracts (id), at TEXT NOT NULL, kind TEXT NOT NULL,
  actor TEXT NOT NULL, summary TEXT NOT NULL
);

CREATE TABLE documents (
  id TEXT PRIMARY KEY NOT NULL, title TEXT NOT NULL, updated_on TEXT NOT NULL
);

CREATE TABLE document_sections (
  document_id TEXT NOT NULL REFERENCES documents (id), position INTEGER NOT NULL,
  heading TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (document_id, position)
);

CREATE TEMP TABLE word (list TEXT, i INTEGER, w TEXT, PRIMARY KEY (list, i));
INSERT INTO word (list, i, w)
SELECT list, row_number() OVER (PARTITION BY list ORDER BY key) - 1, value FROM (
  SELECT 'firm' AS list, key, value FROM json_each('["Northwind","Acme","Blue Harbor","Cedar","Delta","Evergreen","Falcon","Granite","Hawthorn","Iris","Juniper","Kestrel","Lumen","Meridian","Nimbus","Orchard","Pinnacle","Quarry","Riverside","Summit","Tidewater","Union","Vantage","Willow","Xenon","Yarrow","Zephyr","Ångström","Müller & Söhne","Café Bleu","Łódź","São Bento"]')
  UNION ALL SELECT 'trade', key, value FROM json_each('["Logistics","Foods","Dental","Robotics","Textiles","Energy","Print","Software","Clinics","Hotels","Marine","Optics","Paper","Seeds","Tools","Travel"]')
  UNION ALL SELECT 'form', key, value FROM json_each('["Ltd","GmbH","Inc","SARL","AB","LLC","plc","BV"]')
  UNION ALL SELECT 'given', key, value FROM json_each('["Ada","Ben","Chloé","Dmitri","Elena","Farid","Grace","Hiro","Inês","Jonas","Kavya","Liam","Mei","Noor","Olga","Pablo","Quinn","Rosa","Sven","Tariq","Uma","Víctor","Wanda","Xin","Yusuf","Zoë"]')
  UNION ALL SELECT 'family', key, value FROM json_each('["Abbott","Bauer","Costa","Dubois","Eriksen","Fischer","García","Haddad","Ivanov","Jansen","Kowalski","Lindqvist","Moreau","Nguyen","O''Brien","Petrov","Quist","Rossi","Sato","Tanaka","Usman","Varga","Weber","Xu","Yilmaz","Zhang"]')
  UNION ALL SELECT 'city', key, value FROM json_each('["Lisbon","Hamburg","Leeds","Lyon","Malmö","Austin","Denver","Toronto","Osaka","Pune","Perth","Gdańsk","Porto","Ghent","Cork","Turin"]')
  UNION ALL SELECT 'country', key, value FROM json_each('["PT","DE","GB","FR","SE","US","US","CA","JP","IN","AU","PL","PT","BE","IE","IT"]')
  UNION ALL SELECT 'region', key, value FROM json_each('["emea","emea","emea","emea","emea","amer","amer","amer","apac","apac","apac","emea","emea","emea","emea","emea"]')
  UNION ALL SELECT 'zone', key, value FROM json_each('["Europe/Lisbon","Europe/Berlin","Europe/London","Europe/Paris","Europe/Stockholm","America/Chicago","America/Denver","America/Toronto","Asia/Tokyo","Asia/Kolkata","Australia/Perth","Europe/Warsaw","Europe/Lisbon","Europe/Brussels","Europe/Dublin","Europe/Rome"]')
  UNION ALL SELECT 'plan', key, value FROM json_each('["starter","team","business","enterprise"]')
  UNION ALL SELECT 'product', key, value FROM json_each('["Platform seat","Priority support","Storage pack","Onboarding day","API volume","Audit export","Sandbox","Training seat"]')
  UNION ALL SELECT 'kind', key, value FROM json_each('["call","email","invoice_sent","payment_received","contract_signed","plan_changed","ticket_opened","ticket_closed","note"]')
  UNION ALL SELECT 'capacity', key, value FROM json_each('["signatory","countersignatory","witness"]')
  UNION ALL SELECT 'job', key, value FROM json_each('["managing director","head of finance","operations lead","office manager","purchaser","engineer"]')
);

-- n, and five numbers made of it that look independent: each multiplies two parts of a product of n
CREATE TEMP TABLE seed AS
WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 5000),
  x AS (SELECT n, (n * 1103515245 + 12345) % 2147483647 AS x, (n * 48271 + 11) % 2147483629 AS y FROM n)
SELECT n, (x / 7 * (y % 65521) + n) % 2147483647 AS a, (y / 5 * (x % 65519) + n) % 2147483629 AS b,
  (x / 11 * (y % 65497) + 3 * n) % 2147483587 AS c, (y / 13 * (x % 65479) + 5 * n) % 2147483579 AS d,
  (x / 17 * (y % 65449) + 7 * n) % 2147483563 AS e
FROM x;

CREATE TEMP TABLE draft AS
SELECT s.*, printf('cus_%010x', (n * 2654435761) % 1099511627776) AS id,
  (SELECT w FROM word WHERE list = 'firm' AND i = (a / 64) % 32) || ' ' ||
  (SELECT w FROM word WHERE list = 'trade' AND i = (b / 64) % 16) AS name,
  (SELECT w FROM word WHERE list = 'given' AND i = (c / 64) % 26) || ' ' ||
  (SELECT w FROM word WHERE list = 'family' AND i = (d / 64) % 26) AS owner,
  (e / 64) % 16 AS place,
  CASE WHEN (c / 1024) % 20 = 0 THEN 'churned' WHEN (c / 1024) % 20 < 4 THEN 'inactive' ELSE 'active' END AS status,
  date('2015-01-01', '+' || ((a / 128) % 4000) || ' days') AS signup
FROM seed s;

INSERT INTO customers
SELECT id, n, name, name || ' ' || (SELECT w FROM word WHERE list = 'form' AND i = (d / 512) % 8),
  CASE WHEN n % 97 = 0 THEN NULL ELSE 'office' || n || '@' || lower(replace((SELECT w FROM word WHERE list = 'trade' AND i = (b / 64) % 16), ' ', '')) || '.example' END,
  CASE WHEN n % 41 = 0 THEN NULL ELSE printf('+%d 555 %04d', 1 + (b / 256) % 89, (c / 256) % 10000) END,
  'https://www' || n || '.example', status,
  (SELECT w FROM word WHERE list = 'plan' AND i = (a / 4096) % 7 / 2),
  (SELECT w FROM word WHERE list = 'region' AND i = place), (SELECT w FROM word WHERE list = 'country' AND i = place),
  (SELECT w FROM word WHERE list = 'city' AND i = place), (1 + b % 180) || ' Market Street', printf('%05d', c % 99999),
  (SELECT w FROM word WHERE list = 'zone' AND i = place), CASE place % 4 WHEN 0 THEN 'en' WHEN 1 THEN 'de' WHEN 2 THEN 'fr' ELSE 'es' END,
  (SELECT w FROM word WHERE list = 'trade' AND i = (b / 64) % 16), 3 + (d / 32) % 900, CASE WHEN n % 13 = 0 THEN NULL ELSE 1950 + c % 70 END,
  signup, CASE WHEN status = 'churned' THEN date(signup, '+' || (300 + d % 900) || ' days') END, status = 'active',
  CASE (d / 2048) % 5 WHEN 0 THEN 'high' WHEN 1 THEN 'medium' ELSE 'low' END, 20 + (a / 512) % 80, CASE WHEN n % 7 = 0 THEN NULL ELSE (b / 512) % 11 END,
  '0.00', '0.00', CASE (SELECT w FROM word WHERE list = 'region' AND i = place) WHEN 'amer' THEN 'USD' WHEN 'apac' THEN 'JPY' ELSE 'EUR' END,
  printf('%d.%02d', (e / 128) % 3000 - 1000, abs(c) % 100), printf('%d.00', 1000 * (1 + b % 50)), CASE d % 3 WHEN 0 THEN 14 WHEN 1 THEN 30 ELSE 60 END,
  CASE a % 3 WHEN 0 THEN 'card' WHEN 1 THEN 'transfer' ELSE 'debit' END, CASE WHEN a % 3 = 0 THEN printf('%04d', b % 10000) END,
  CASE WHEN a % 3 > 0 THEN printf('XX%02d%018d', c % 97, d) END, CASE WHEN a % 3 > 0 THEN 'Bank of Example' END,
  printf('TAX-%08d', e % 100000000), printf('%d.0', 17 + place % 8), n % 50 = 0,
  name, CASE WHEN n % 97 = 0 THEN NULL ELSE 'billing' || n || '@mail.example' END, (1 + b % 180) || ' Market Street',
  (SELECT w FROM word WHERE list = 'city' AND i = place), printf('%05d', c % 99999), (SELECT w FROM word WHERE list = 'country' AND i = place),
  CASE WHEN n % 3 = 0 THEN (1 + d % 90) || ' Dock Road' END, CASE WHEN n % 3 = 0 THEN (SELECT w FROM word WHERE list = 'city' AND i = place) END,
  CASE WHEN n % 3 = 0 THEN printf('%05d', d % 99999) END, CASE WHEN n % 3 = 0 THEN (SELECT w FROM word WHERE list = 'country' AND i = place) END,
  'rep' || (1 + a % 20) || '@support.example', CASE (a / 4096) % 3 WHEN 0 THEN 'gold' WHEN 1 THEN 'silver' ELSE 'standard' END, printf('%04d', e % 10000),
  CASE (a / 4096) % 3 WHEN 0 THEN 4 WHEN 1 THEN 8 ELSE 24 END, (c / 4096) % 5, (c / 8192) % 60,
  datetime('2026-01-01', '+' || (c % 320) || ' days'), datetime('2026-06-01', '+' || (d % 170) || ' days'), date('2026-10-01', '+' || (a % 28) || ' days'),
  date('2026-09-01', '+' || (b % 60) || ' days'), CASE WHEN n % 11 = 0 THEN 1 + c % 4 ELSE 0 END, CASE WHEN n % 11 = 0 THEN 1 + c % 3 ELSE 0 END, n % 331 = 0,
  (b / 1024) % 100, CASE WHEN n % 17 = 0 THEN 'pending' ELSE 'verified' END, date('2025-01-01', '+' || (e % 600) || ' days'),
  date('1950-01-01', '+' || (a % 18000) || ' days'), owner, 'private' || n || '@home.example', printf('+%d 777 %05d', 1 + c % 89, d % 100000), printf('P%08d', b % 100000000),
  n % 2, n % 3 = 0, n % 5 = 0, CASE WHEN n % 401 = 0 THEN '2026-08-01' END, NULL, CASE d % 4 WHEN 0 THEN 'partner' WHEN 1 THEN 'search' WHEN 2 THEN 'event' END,
  CASE WHEN n % 6 = 0 THEN 'autumn-2025' END, CASE WHEN d % 4 = 0 THEN 'PRT' || (c % 90) END, printf('CRM%07d', n), printf('ERP%09d', a), printf('DW%010d', b),
  CASE WHEN n % 4 = 0 THEN 'sso' || n || '.example' END, 1000 * (1 + c % 100), 5 + d % 200, 1 + d % 5, 10 * (1 + e % 40), '["export","sso"]', n % 23 = 0,
  CASE WHEN n % 29 = 0 THEN 'Called twice about a total that was read wrongly; see history.' END,
  CASE WHEN n = 4242 THEN printf('cus_%010x', (4241 * 2654435761) % 1099511627776) END,
  signup || 'T09:00:00Z', '2026-10-31T12:00:00Z'
FROM draft;

INSERT INTO people
SELECT printf('per_%010x', ((d.n * 8 + k.value) * 2654435761) % 1099511627776), d.id,
  CASE k.value WHEN 0 THEN d.owner ELSE (SELECT w FROM word WHERE list = 'given' AND i = (d.a / (32 << k.value)) % 26) || ' ' ||
    (SELECT w FROM word WHERE list = 'family' AND i = (d.b / (32 << k.value)) % 26) END,
  (SELECT w FROM word WHERE list = 'job' AND i = CASE k.value WHEN 0 THEN 0 ELSE 1 + (d.c / (16 << k.value)) % 5 END),
  CASE WHEN (d.n + k.value) % 19 = 0 THEN NULL ELSE 'person' || d.n || '.' || k.value || '@mail.example' END,
  CASE WHEN (d.n + k.value) % 5 = 0 THEN NULL ELSE printf('+%d 556 %05d', 1 + d.c % 89, (d.d + k.value) % 100000) END,
  CASE WHEN (d.n + k.value) % 37 = 0 THEN '2026-03-31' END
FROM draft d, json_each('[0,1,2]') k WHERE k.value <= 1 + d.n % 2;

INSERT INTO contracts
SELECT printf('ctr_%010x', ((d.n * 4 + k.value) * 2654435761) % 1099511627776), d.id,
  CASE k.value WHEN 0 THEN 'Master agreement' WHEN 1 THEN 'Support addendum' ELSE 'Expansion order' END,
  CASE WHEN (d.n + k.value) % 31 = 0 THEN 'void' WHEN d.status = 'churned' THEN 'expired' WHEN (d.n + k.value) % 23 = 0 THEN 'draft' ELSE 'active' END,
  date(d.signup, '+' || (k.value * 200) || ' days'), date('2026-06-01', '+' || ((d.e + k.value * 97) % 900) || ' days'),
  CASE WHEN (d.n + k.value) % 23 = 0 THEN NULL ELSE date(d.signup, '+' || (k.value * 200 + 3) || ' days') END,
  '0.00', CASE (SELECT w FROM word WHERE list = 'region' AND i = d.place) WHEN 'amer' THEN 'USD' WHEN 'apac' THEN 'JPY' ELSE 'EUR' END,
  (d.n + k.value) % 3 > 0, '2026-10-01T08:00:00Z'
FROM draft d, json_each('[0,1,2]') k WHERE k.value <= d.n % 3;

INSERT INTO line_items
SELECT printf('lin_%010x', ((r * 8 + k) * 2654435761) % 1099511627776), id, k + 1,
  printf('SKU-%03d', q % 400), (SELECT w FROM word WHERE list = 'product' AND i = q / 16 % 8),
  1 + q / 128 % 40, printf('%d.%02d', 5 + q / 1024 % 480, q / 64 % 100), '0.00', q % 53 = 0, NULL
FROM (
  SELECT c.rowid AS r, c.id, k.value AS k,
    (c.rowid * 69621 % 2147483647 / 3 * ((c.rowid * 8 + k.value) * 40692 % 65521) + k.value) % 2147483399 AS q
  FROM contracts c, json_each('[0,1,2,3,4]') k WHERE k.value <= 1 + c.rowid % 4
);
-- a credit, as they are found in real books: a negative price
UPDATE line_items SET unit_price = '-' || unit_price, description = 'Credit: ' || description WHERE rowid % 61 = 0;
UPDATE line_items SET amount = printf('%.2f', quantity * unit_price);

-- The contract whose totals "look wrong": they are right, and the customer misread an invoice.
INSERT INTO contracts SELECT 'ctr_0000048000', id, 'Platform agreement', 'active', '2026-01-01', '2027-12-31', '2025-12-18', '0.00', 'EUR', 1, '2026-10-01T08:00:00Z'
FROM customers WHERE number = 4805;
INSERT INTO line_items SELECT 'lin_000004800' || k.value, 'ctr_0000048000', k.value, 'SKU-48' || k.value, 'Platform seat, site ' || k.value, 40, '1000.00', '40000.00', 0, NULL
FROM json_each('[1,2,3]') k;
-- The contract that the wrong entity signed, and three files that lie with its neighbour.
INSERT INTO contracts SELECT 'ctr_000000300' || k.value, customers.id, CASE k.value WHEN 1 THEN 'Rollout agreement' ELSE 'Framework agreement' END, 'active', '2026-03-01', '2028-02-29', '2026-02-20', '0.00', 'EUR', 0, '2026-10-01T08:00:00Z'
FROM customers, json_each('[1,2]') k WHERE customers.number = 3004;
INSERT INTO line_items SELECT 'lin_000000300' || k.value, 'ctr_000000300' || k.value, 1, 'SKU-300', 'Onboarding day', 12, '950.00', '11400.00', 0, NULL
FROM json_each('[1,2]') k;

CREATE INDEX people_customer ON people (customer_id);
CREATE INDEX people_name ON people (name);
CREATE INDEX contracts_customer ON contracts (customer_id);
CREATE INDEX contracts_end ON contracts (status, ends_on);
CREATE INDEX line_items_contract ON line_items (contract_id, position);

UPDATE contracts SET total = (SELECT printf('%.2f', coalesce(sum(amount), 0)) FROM line_items l WHERE l.contract_id = contracts.id AND NOT l.voided);
UPDATE customers SET
  revenue_total = (SELECT printf('%.2f', coalesce(sum(total), 0)) FROM contracts c WHERE c.customer_id = customers.id AND c.status IN ('active', 'expired')),
  revenue_last_year = (SELECT printf('%.2f', coalesce(sum(total), 0) / 3.0) FROM contracts c WHERE c.customer_id = customers.id AND c.status = 'active');

INSERT INTO signatories
SELECT c.id, p.id, (SELECT w FROM word WHERE list = 'capacity' AND i = CASE WHEN p.role = 'managing director' THEN 0 ELSE 1 + c.rowid % 2 END),
  CASE WHEN c.signed_on IS NULL THEN NULL ELSE c.signed_on || 'T10:30:00Z' END
FROM contracts c JOIN people p ON p.customer_id = c.customer_id WHERE p.role = 'managing director' OR (c.rowid + p.rowid) % 4 = 0;

INSERT INTO attachments
SELECT printf('att_%010x', (c.rowid * 2654435761) % 1099511627776), c.id,
  CASE c.rowid % 3 WHEN 0 THEN 'signed-contract.pdf' WHEN 1 THEN 'price list (final).xlsx' ELSE 'scan_0' || (c.rowid % 9) || '.tiff' END,
  CASE c.rowid % 3 WHEN 0 THEN 'application/pdf' WHEN 1 THEN 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet' ELSE 'image/tiff' END,
  1000 + (c.rowid * 7919) % 900000, coalesce(c.signed_on, c.starts_on) || 'T11:00:00Z'
FROM contracts c WHERE c.rowid % 2 = 0;

INSERT INTO customer_events (customer_id, contract_id, at, kind, actor, summary)
SELECT d.id, NULL, strftime('%Y-%m-%dT%H:%M:%SZ', '2024-01-01', '+' || ((d.a / 16 + k.value * 6700417) % 1000) || ' days', '+' || ((d.b + k.value * 613) % 86400) || ' seconds'),
  (SELECT w FROM word WHERE list = 'kind' AND i = (d.c / 32 + k.value) % 9), 'rep' || (1 + (d.a + k.value) % 20) || '@support.example',
  CASE (d.c / 32 + k.value) % 9 WHEN 0 THEN 'Asked when the next invoice is due.' WHEN 1 THEN 'Sent the price list again.' WHEN 2 THEN 'Invoice sent.' WHEN 3 THEN 'Payment received in full.'
    WHEN 4 THEN 'Contract signed by both sides.' WHEN 5 THEN 'Changed plan at renewal.' WHEN 6 THEN 'Totals look wrong to the customer.' WHEN 7 THEN 'Closed: the customer had misread the invoice.' ELSE 'Prefers to be called in the morning.' END
FROM draft d, json_each('[0,1,2,3,4,5,6,7,8,9,10,11]') k WHERE k.value <= 3 + d.n % 9;
INSERT INTO attachments SELECT 'att_000000300' || k.value, 'ctr_0000003002', 'rollout annex ' || k.value || '.pdf', 'application/pdf', 40000 + k.value, '2026-02-2' || k.value || 'T11:00:00Z'
FROM json_each('[1,2,3]') k;

-- One invoice that was paid, and one that is open; with every eleventh customer that is late.
INSERT INTO invoices
SELECT printf('inv_%010x', ((c.rowid * 4 + k.value) * 2654435761) % 1099511627776), c.customer_id, c.id,
  CASE k.value WHEN 0 THEN 'paid' ELSE 'open' END, i.day, date(i.day, '+30 days'), CASE k.value WHEN 0 THEN date(i.day, '+21 days') END, c.currency,
  i.cents, CASE k.value WHEN 0 THEN 0 ELSE i.cents END, NULL, i.day || 'T07:00:00Z'
FROM (
  SELECT c.rowid AS r, v.value AS v, CAST(round(c.total * 100) AS INTEGER) / (1 + v.value) AS cents,
    date(CASE WHEN v.value = 0 THEN '2026-05-01' WHEN u.number % 11 = 0 THEN '2026-09-01' ELSE '2036-11-01' END, '+' || (c.rowid % 28) || ' days') AS day
  FROM contracts c JOIN customers u ON u.id = c.customer_id, json_each('[0,1]') v WHERE c.status = 'active'
) i JOIN contracts c ON c.rowid = i.r JOIN json_each('[0,1]') k ON k.value = i.v
WHERE i.cents > 0 AND c.id NOT IN ('ctr_0000048000', 'ctr_0000003001', 'ctr_0000003002');
INSERT INTO invoices SELECT 'inv_0000048000', customer_id, id, 'open', '2036-11-03', '2036-12-03', NULL, 'EUR', 12000000, 12000000, NULL, '2026-10-01T07:00:00Z'
FROM contracts WHERE id = 'ctr_0000048000';
INSERT INTO invoices SELECT 'inv_000000300' || k.value, contracts.customer_id, contracts.id, CASE k.value WHEN 1 THEN 'paid' ELSE 'open' END, CASE k.value WHEN 1 THEN '2026-03-01' ELSE '2036-0' || k.value || '-01' END, CASE k.value WHEN 1 THEN '2026-03-31' ELSE '2036-0' || k.value || '-28' END,
  CASE k.value WHEN 1 THEN '2026-03-12' END, 'EUR', 380000, CASE k.value WHEN 1 THEN 0 ELSE 380000 END, NULL, '2026-10-01T07:00:00Z'
FROM contracts, json_each('[1,2,3]') k WHERE contracts.id = 'ctr_0000003001';
INSERT INTO refunds (customer_id, amount_cents, currency, reason, asked_by, created_at)
SELECT c.id, 1000 + c.number, c.currency, CASE c.number % 4 WHEN 0 THEN 'duplicate' WHEN 1 THEN 'fraud' WHEN 2 THEN 'requested' ELSE 'error' END, c.account_manager, '2026-06-0' || (1 + c.number % 9) || 'T09:00:00Z'
FROM customers c WHERE c.number % 199 = 0;
-- A refund is paid out by the outbox, whoever writes it down.
CREATE TRIGGER refunds_payout AFTER INSERT ON refunds BEGIN
  INSERT INTO outbox (topic, customer_id, refund_id, amount_cents, currency, created_at)
  VALUES ('payout', NEW.customer_id, NEW.id, NEW.amount_cents, NEW.currency, NEW.created_at);
END;
CREATE INDEX invoices_customer ON invoices (customer_id, issued_on, id);
CREATE INDEX invoices_contract ON invoices (contract_id, customer_id);
CREATE INDEX invoices_due ON invoices (due_on) WHERE status = 'open';
CREATE INDEX attachments_contract ON attachments (contract_id);
CREATE INDEX refunds_customer ON refunds (customer_id, created_at);
CREATE INDEX outbox_customer ON outbox (customer_id, topic, created_at);
CREATE INDEX customer_events_customer ON customer_events (customer_id, at, id);
CREATE INDEX customers_status ON customers (status, name, id);
CREATE INDEX customers_name ON customers (name, id);

INSERT INTO documents VALUES
  ('doc_refunds', 'Refunds and credits', '2026-09-14'),
  ('doc_signatories', 'Correcting a signatory', '2026-07-02'),
  ('doc_churn', 'When a customer wants to leave', '2026-10-20');
INSERT INTO document_sections VALUES
  ('doc_refunds', 1, 'When a refund is due', 'A refund is due when an invoice was paid twice, or when a line was billed that the contract does not hold. Compare the line items with the contract before promising anything.'),
  ('doc_refunds', 2, 'How much', 'The amount is the sum of the wrong lines, never an estimate. More than 1,000.00, or more than 2,000.00 in a day, needs a second person.'),
  ('doc_refunds', 3, 'What to write down', 'Which lines, which invoice, who asked. The history shows it to whoever picks up the phone next.'),
  ('doc_signatories', 1, 'Who may sign', 'A managing director or a person with a power of attorney on file. People who have left cannot sign.'),
  ('doc_signatories', 2, 'What to check first', 'The contract is not void, and the new signatory belongs to the same customer.'),
  ('doc_churn', 1, 'Listen first', 'Ask what changed. Look at the last five entries of the history before calling.'),
  ('doc_churn', 2, 'What can be offered', 'A smaller plan, or a pause of up to three months. Discounts need the account manager.');

COMMIT;
ANALYZE;
