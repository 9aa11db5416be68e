#!/bin/sh
# Makes a user and a database of the same name for each service in COBURG_DATABASES, with the password in
# COBURG_<SERVICE>_DATABASE_PASSWORD. Runs once, when the server's volume is empty.
set -eu

for service in $COBURG_DATABASES; do
    variable="COBURG_$(echo "$service" | tr '[:lower:]' '[:upper:]')_DATABASE_PASSWORD"
    password=$(printenv "$variable") || {
        echo "$variable is not set" >&2
        exit 1
    }
    # On standard input: psql puts variables into statements from there only.
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
        --set "service=$service" --set "password=$password" <<'SQL'
CREATE ROLE :"service" LOGIN PASSWORD :'password';
CREATE DATABASE :"service" OWNER :"service";
REVOKE CONNECT ON DATABASE :"service" FROM PUBLIC;
SQL
done
