// SPDX-License-Identifier: MIT
#include <xofn/publish/request_guard.hpp>

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

using xofn::detail::has_word;
using xofn::detail::host_name;
using xofn::detail::is_allowed_host;
using xofn::detail::is_same_origin;
using xofn::detail::is_secret;
using xofn::detail::path_parts;
using Parts = std::vector<std::string>;

TEST_CASE("request guard: addresses, localhost and known names are allowed, with any port") {
  const std::vector<std::string> names{"Farm.example"};
  for (const char* host : {"localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:1", "10.0.0.7",
                           "[::1]", "[::1]:65535", "farm.EXAMPLE:80"}) {
    CAPTURE(host);
    CHECK(is_allowed_host(host, names));
  }
  for (const char* host :
       {"", "evil.example", "localhost.evil.example", "localhost:", "localhost:x",
        "localhost:123456", "127.0.0.1.evil.example", "1.2.3", "127.0.0.1:80:80", "[::1", "[::1]x",
        "[evil.example]", "[]", ":80", "farm.example.", "localhost@evil.example", "localhost/"}) {
    CAPTURE(host);
    CHECK_FALSE(is_allowed_host(host, names));
  }
  CHECK(host_name("farm.example:80") == "farm.example");
}

TEST_CASE("request guard: an origin is the same with host and port") {
  CHECK(is_same_origin("http://localhost:8080", "localhost:8080"));
  CHECK(is_same_origin("https://Farm.example", "farm.example"));
  CHECK_FALSE(is_same_origin("http://localhost:8081", "localhost:8080"));
  CHECK_FALSE(is_same_origin("http://localhost", "localhost:8080"));
  CHECK_FALSE(is_same_origin("http://evil.example", "localhost"));
  CHECK_FALSE(is_same_origin("null", "localhost"));
  CHECK_FALSE(is_same_origin("", ""));
  CHECK_FALSE(is_same_origin("localhost", "localhost"));
}

TEST_CASE("request guard: a secret is all of it") {
  CHECK(is_secret("abc", "abc"));
  CHECK_FALSE(is_secret("abd", "abc"));
  CHECK_FALSE(is_secret("xbc", "abc"));
  CHECK_FALSE(is_secret("ab", "abc"));
  CHECK_FALSE(is_secret("abcd", "abc"));
  CHECK_FALSE(is_secret("", "abc"));
}

TEST_CASE("request guard: a list is looked through word by word") {
  CHECK(has_word("keep-alive, Upgrade", "upgrade"));
  CHECK(has_word("\"1\" ,\"2\"", "\"2\""));
  CHECK_FALSE(has_word("keep-alive, Upgrades", "upgrade"));
  CHECK_FALSE(has_word("", "upgrade"));
  CHECK_FALSE(has_word(",,", "upgrade"));
}

TEST_CASE("request guard: the parts of a path are decoded one by one") {
  CHECK(path_parts("/") == Parts{""});
  CHECK(path_parts("/a/b%20c%2Fd%2f/") == Parts{"a", "b c/d/", ""});
  CHECK(path_parts("/%c3%A9") == Parts{"\xc3\xa9"});
  for (const char* path : {"", "a", "/%", "/%4", "/%zz", "/%4z", "/%00"}) {
    CAPTURE(path);
    CHECK_FALSE(path_parts(path));
  }
}
