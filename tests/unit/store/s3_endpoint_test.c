/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a bucket's URLs point, for AWS and for others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/s3/s3_endpoint.h"

static const struct s3_placing AUTO = {.style = STORE_STYLE_AUTO};

static int init(const struct s3_hosts *hosts, const char *endpoint, const char *region, const char *bucket,
                const struct s3_placing *how, struct s3_endpoint *ret, struct err *e)
{
    struct s3_placing all = *how;

    all.endpoint = endpoint;
    all.region = region;
    all.bucket = bucket;
    return s3_endpoint_init(hosts, &all, ret, e);
}

static void check_at(const struct s3_hosts *hosts, const char *endpoint, const char *region, const char *bucket,
                     bool path_style, const char *origin, const char *path)
{
    const struct s3_placing how = {.style = path_style ? STORE_STYLE_PATH : STORE_STYLE_AUTO};
    struct s3_endpoint p;
    struct err e = {0};

    assert_int_equal(init(hosts, endpoint, region, bucket, &how, &p, &e), 0);
    assert_string_equal(p.origin, origin);
    assert_string_equal(p.path, path);
    assert_string_equal(p.host, strstr(origin, "://") + 3);
    s3_endpoint_done(&p);
}

static void check(const char *endpoint, const char *region, const char *bucket, bool path_style, const char *origin,
                  const char *path)
{
    check_at(&S3_HOSTS_AWS, endpoint, region, bucket, path_style, origin, path);
}

static void check_refused(const char *endpoint)
{
    struct s3_endpoint p = {.path = NULL};
    struct err e = {0};

    assert_int_equal(init(&S3_HOSTS_AWS, endpoint, "us-east-1", "bucket", &AUTO, &p, &e), -FAULT_USAGE);
    /* A password is not repeated. */
    if (strchr(endpoint, '@'))
        assert_null(strstr(e.msg, "secret"));
    else
        assert_non_null(strstr(e.msg, endpoint));
    assert_null(p.origin);
}

static void without_endpoint_the_bucket_is_a_host_at_aws(void **state)
{
    (void)state;
    check(NULL, "eu-west-1", "bucket", false, "https://bucket.s3.eu-west-1.amazonaws.com", "");
    check(NULL, "cn-north-1", "bucket", false, "https://bucket.s3.cn-north-1.amazonaws.com.cn", "");
    check(NULL, "us-gov-west-1", "bucket", false, "https://bucket.s3.us-gov-west-1.amazonaws.com", "");
}

/* The table is what botocore resolves (1.43). */
static void every_partition_has_its_kinds_of_endpoints(void **state)
{
    static const struct {
        const char *region, *suffix;
        bool fips, dualstack;
    } rows[] = {
        {"us-east-1", "amazonaws.com", true, true},         {"cn-north-1", "amazonaws.com.cn", false, true},
        {"us-gov-west-1", "amazonaws.com", true, true},     {"us-iso-east-1", "c2s.ic.gov", true, true},
        {"us-isob-east-1", "sc2s.sgov.gov", true, true},    {"eu-isoe-west-1", "cloud.adc-e.uk", true, false},
        {"us-isof-south-1", "csp.hci.ic.gov", true, false}, {"eusc-de-east-1", "amazonaws.eu", true, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        for (unsigned kind = 0; kind < 4; kind++) {
            const struct s3_placing how = {.fips = kind & 1, .dualstack = kind & 2};
            struct s3_endpoint p = {0};
            struct err e = {0};
            char expected[200];
            int r = init(&S3_HOSTS_AWS, NULL, rows[i].region, "bkt", &how, &p, &e);

            if ((how.fips && !rows[i].fips) || (how.dualstack && !rows[i].dualstack)) {
                assert_int_equal(r, -FAULT_USAGE);
                continue;
            }
            snprintf(expected, sizeof(expected), "https://bkt.s3%s%s.%s.%s", how.fips ? "-fips" : "",
                     how.dualstack ? ".dualstack" : "", rows[i].region, rows[i].suffix);
            assert_int_equal(r, 0);
            assert_string_equal(p.origin, expected);
            s3_endpoint_done(&p);
        }
}

static void check_style(enum store_style style, const char *endpoint, const char *bucket, const char *origin,
                        const char *path)
{
    const struct s3_placing how = {.style = style, .fips = true, .dualstack = true}; /* for AWS's own alone */
    struct s3_endpoint p = {0};
    struct err e = {0};

    assert_int_equal(init(&S3_HOSTS_AWS, endpoint, "eu-west-1", bucket, &how, &p, &e), 0);
    assert_string_equal(p.origin, origin);
    assert_string_equal(p.path, path);
    s3_endpoint_done(&p);
}

static void a_style_decides_where_the_bucket_goes(void **state)
{
    (void)state;
    check_style(STORE_STYLE_VIRTUAL, "http://store.example:9000", "bkt", "http://bkt.store.example:9000", "");
    check_style(STORE_STYLE_VIRTUAL, "http://localhost:9", "bkt", "http://bkt.localhost:9", "");
    check_style(STORE_STYLE_VIRTUAL, "http://127.0.0.1:9000", "bkt", "http://127.0.0.1:9000", "/bkt");
    check_style(STORE_STYLE_VIRTUAL, "http://[::1]:9000", "bkt", "http://[::1]:9000", "/bkt");
    check_style(STORE_STYLE_AUTO, "http://store.example:9000", "bkt", "http://store.example:9000", "/bkt");
    check_style(STORE_STYLE_PATH, "https://s3.eu-west-1.amazonaws.com", "bkt", "https://s3.eu-west-1.amazonaws.com",
                "/bkt");
    check_style(STORE_STYLE_VIRTUAL, "https://s3.eu-west-1.amazonaws.com", "bkt",
                "https://bkt.s3.eu-west-1.amazonaws.com", "");
    check_style(STORE_STYLE_VIRTUAL, NULL, "dot.ted", "https://s3-fips.dualstack.eu-west-1.amazonaws.com", "/dot.ted");
}

static void buckets_that_fit_no_certificate_go_into_the_path(void **state)
{
    (void)state;
    check(NULL, "eu-west-1", "my.bucket", false, "https://s3.eu-west-1.amazonaws.com", "/my.bucket");
    check(NULL, "eu-west-1", "my_bucket", false, "https://s3.eu-west-1.amazonaws.com", "/my_bucket");
    check(NULL, "eu-west-1", "Bucket", false, "https://s3.eu-west-1.amazonaws.com", "/Bucket");
    check(NULL, "eu-west-1", "bucket", true, "https://s3.eu-west-1.amazonaws.com", "/bucket");
}

static void aws_endpoints_follow_the_region(void **state)
{
    (void)state;
    check("https://s3.amazonaws.com", "eu-west-1", "bucket", false, "https://bucket.s3.eu-west-1.amazonaws.com", "");
    check("https://s3.us-east-1.amazonaws.com/", "eu-west-1", "bucket", false,
          "https://bucket.s3.eu-west-1.amazonaws.com", "");
    check("http://S3.us-east-1.amazonaws.com:8080", "eu-west-1", "bucket", false,
          "http://bucket.s3.eu-west-1.amazonaws.com:8080", "");
}

static void special_aws_endpoints_stay_as_they_are(void **state)
{
    (void)state;
    check("https://s3.dualstack.us-east-1.amazonaws.com", "eu-west-1", "bucket", false,
          "https://bucket.s3.dualstack.us-east-1.amazonaws.com", "");
    check("https://bucket.vpce-1a2b-5e6f.s3.us-east-1.vpce.amazonaws.com", "us-east-1", "data", false,
          "https://data.bucket.vpce-1a2b-5e6f.s3.us-east-1.vpce.amazonaws.com", "");
}

static void others_get_path_style(void **state)
{
    (void)state;
    check("http://127.0.0.1:7480", "us-east-1", "bucket", false, "http://127.0.0.1:7480", "/bucket");
    check("http://localhost:9000/", "us-east-1", "bucket", false, "http://localhost:9000", "/bucket");
    check("https://minio.Example.COM", "us-east-1", "minio", false, "https://minio.example.com", "/minio");
    check("http://[::1]:9000", "us-east-1", "bucket", false, "http://[::1]:9000", "/bucket");
    check("http://[::1]", "us-east-1", "bucket", false, "http://[::1]", "/bucket");
    check("https://notamazonaws.com", "us-east-1", "bucket", false, "https://notamazonaws.com", "/bucket");
    check("https://s3.amazonaws.com.example.com", "us-east-1", "bucket", false, "https://s3.amazonaws.com.example.com",
          "/bucket");
}

static void the_schemes_own_port_is_left_out_as_in_the_host_header(void **state)
{
    (void)state;
    check("http://store:80", "us-east-1", "bucket", false, "http://store", "/bucket");
    check("https://store:443", "us-east-1", "bucket", false, "https://store", "/bucket");
    check("http://store:443", "us-east-1", "bucket", false, "http://store:443", "/bucket");
    check("https://store:80", "us-east-1", "bucket", false, "https://store:80", "/bucket");
}

static void a_gateway_may_live_below_a_path(void **state)
{
    (void)state;
    check("http://store/s3/gw//", "us-east-1", "bucket", false, "http://store", "/s3/gw/bucket");
}

static void the_placeholder_puts_the_bucket_into_any_host(void **state)
{
    (void)state;
    check("https://{bucket}.oss-cn-hangzhou.aliyuncs.com", "oss", "bucket", false,
          "https://bucket.oss-cn-hangzhou.aliyuncs.com", "");
    check("http://{bucket}.store:9000/base", "r", "my.bucket", true, "http://my.bucket.store:9000", "/base");
}

static void what_is_no_endpoint_is_refused(void **state)
{
    (void)state;
    check_refused("http://user:secret@store");
    check_refused("store:9000");
    check_refused("ftp://store");
    check_refused("http://");
    check_refused("http:///x");
    check_refused("http://:9000");
    check_refused("http://store:0");
    check_refused("http://store:65536");
    check_refused("http://store:");
    check_refused("http://store:9x");
    check_refused("http://st ore");
    check_refused("http://store?x=1");
    check_refused("http://store/a?x=1");
    check_refused("http://store/../x");
    check_refused("http://store#x");
    check_refused("http://[::1");
    check_refused("http://{bucket}");
    /* --to names the bucket already: it would be there twice */
    check_refused("http://store/bucket");
    check_refused("http://store/base/bucket/");
    check_refused("https://bucket.s3.eu-west-1.amazonaws.com");
    check_refused("http://{bucket}.");
    check_refused("http://a.{bucket}.store");
}

static void check_region(const char *endpoint, const char *region)
{
    char *found = s3_endpoint_region(&S3_HOSTS_AWS, endpoint);

    if (region)
        assert_string_equal(found, region);
    else
        assert_null(found);
    free(found);
}

static void the_region_is_read_from_an_endpoint_of_the_owner_only(void **state)
{
    (void)state;
    check_region("https://s3.eu-west-1.amazonaws.com", "eu-west-1");
    check_region("https://s3.cn-north-1.amazonaws.com.cn", "cn-north-1");
    check_region("https://s3.amazonaws.com", NULL);
    check_region("https://s3.dualstack.eu-west-1.amazonaws.com", NULL);
    check_region("https://s3.eu-west-1.example.com", NULL);
    check_region("nonsense", NULL);
    check_region("https://obs.cn-north-4.myhuaweicloud.com", NULL);

    char *found = s3_endpoint_region(&S3_HOSTS_OBS, "https://obs.cn-north-4.myhuaweicloud.com");

    assert_string_equal(found, "cn-north-4");
    free(found);
}

static void obs_has_hosts_of_its_own(void **state)
{
    (void)state;
    const struct s3_hosts *obs = &S3_HOSTS_OBS;

    check_at(obs, NULL, "cn-north-4", "bucket", false, "https://bucket.obs.cn-north-4.myhuaweicloud.com", "");
    check_at(obs, NULL, "eu-west-101", "bucket", false, "https://bucket.obs.eu-west-101.myhuaweicloud.eu", "");
    check_at(obs, NULL, "cn-north-4", "my.bucket", false, "https://obs.cn-north-4.myhuaweicloud.com", "/my.bucket");
    check_at(obs, "https://obs.cn-north-4.myhuaweicloud.com", "ap-southeast-1", "bucket", false,
             "https://bucket.obs.ap-southeast-1.myhuaweicloud.com", "");
    check_at(obs, "https://obs.myhuaweicloud.com", "", "bucket", false, "https://bucket.obs.myhuaweicloud.com", "");
    check_at(obs, "https://obs.dualstack.cn-north-4.myhuaweicloud.com", "cn-north-4", "bucket", false,
             "https://bucket.obs.dualstack.cn-north-4.myhuaweicloud.com", "");
}

static void obs_elsewhere_has_the_bucket_before_a_name_but_not_before_an_address(void **state)
{
    (void)state;
    const struct s3_hosts *obs = &S3_HOSTS_OBS;

    check_at(obs, "https://obs.example.org", "", "bucket", false, "https://bucket.obs.example.org", "");
    check_at(obs, "https://obs.example.org", "", "bucket", true, "https://obs.example.org", "/bucket");
    check_at(obs, "http://10.1.2.3:5080", "", "bucket", false, "http://10.1.2.3:5080", "/bucket");
    check_at(obs, "http://[fd00::1]:5080", "", "bucket", false, "http://[fd00::1]:5080", "/bucket");
    check_at(obs, "http://localhost:5080", "x", "bucket", false, "http://localhost:5080", "/bucket");
    check_at(obs, "http://{bucket}.localhost", "", "bucket", false, "http://bucket.localhost", "");
}

static void obs_without_region_and_endpoint_is_nowhere(void **state)
{
    (void)state;
    struct s3_endpoint p = {.path = NULL};
    struct err e = {0};

    assert_int_equal(init(&S3_HOSTS_OBS, NULL, "", "bucket", &AUTO, &p, &e), -FAULT_USAGE);
    assert_string_equal(e.msg, "obs: no region: give --region NAME or --endpoint URL");
    assert_null(p.origin);
}

static void regions_from_strangers_cannot_name_another_host(void **state)
{
    (void)state;
    assert_true(s3_region_valid("eu-west-1"));
    assert_true(s3_region_valid("RegionOne"));
    assert_false(s3_region_valid(""));
    assert_false(s3_region_valid("evil.example.com/"));
    assert_false(s3_region_valid("a.b"));
    assert_false(s3_region_valid("a b"));
    assert_false(s3_region_valid("a@b"));
    assert_false(s3_region_valid("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_endpoint_the_bucket_is_a_host_at_aws),
        cmocka_unit_test(every_partition_has_its_kinds_of_endpoints),
        cmocka_unit_test(a_style_decides_where_the_bucket_goes),
        cmocka_unit_test(buckets_that_fit_no_certificate_go_into_the_path),
        cmocka_unit_test(aws_endpoints_follow_the_region),
        cmocka_unit_test(special_aws_endpoints_stay_as_they_are),
        cmocka_unit_test(others_get_path_style),
        cmocka_unit_test(the_schemes_own_port_is_left_out_as_in_the_host_header),
        cmocka_unit_test(a_gateway_may_live_below_a_path),
        cmocka_unit_test(the_placeholder_puts_the_bucket_into_any_host),
        cmocka_unit_test(what_is_no_endpoint_is_refused),
        cmocka_unit_test(the_region_is_read_from_an_endpoint_of_the_owner_only),
        cmocka_unit_test(obs_has_hosts_of_its_own),
        cmocka_unit_test(obs_elsewhere_has_the_bucket_before_a_name_but_not_before_an_address),
        cmocka_unit_test(obs_without_region_and_endpoint_is_nowhere),
        cmocka_unit_test(regions_from_strangers_cannot_name_another_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
