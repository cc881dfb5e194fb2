-- Reads the rows that were there before 0046, without a lock that writers would wait for.

ALTER TABLE organizations VALIDATE CONSTRAINT organizations_mails_is_an_object;
ALTER TABLE customers VALIDATE CONSTRAINT customers_locale_is_a_tag;
