CREATE TABLE greeting (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
INSERT INTO greeting (text) VALUES ('Hello from an immutable release');
